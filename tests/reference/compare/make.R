# Difference tests, invariance table and bootstrap of lavaan 0.6-14 for tests/test_sem_compare.py and
# tests/test_sem_fit_bootstrap.py. Run in this folder: Rscript make.R
suppressMessages(library(lavaan)); library(jsonlite)
hs <- read.csv("../cbsem/hs.csv"); democracy <- read.csv("../cbsem/democracy.csv")
HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
PD <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\ndem60 ~ ind60\ndem65 ~ ind60 + dem60"
STEPS <- list(configural = NULL, metric = "loadings", scalar = c("loadings", "intercepts"),
              strict = c("loadings", "intercepts", "residuals"))
row <- function(test) list(chisq_diff = test[2, "Chisq diff"], df_diff = test[2, "Df diff"], pvalue = test[2, "Pr(>Chisq)"])
pair <- function(free, restricted) {
  plain <- lavTestLRT(free, restricted)
  out <- c(row(plain), list(aic = plain$AIC, bic = plain$BIC, chisq = plain$Chisq, df = plain$Df))
  if (!is.na(fitMeasures(free)["chisq.scaled"]))
    out$positive <- row(lavTestLRT(free, restricted, method = "satorra.bentler.2010"))
  out
}
invariance <- function(estimator, missing = "listwise", data = hs) {
  fits <- lapply(STEPS, function(equal) do.call("cfa", c(list(HS, data, group = "school", estimator = estimator, missing = missing),
                                                       if (is.null(equal)) list() else list(group.equal = equal))))
  names <- c("chisq", "df", "cfi", "rmsea", "chisq.scaled", "cfi.robust", "rmsea.robust")
  list(fits = lapply(fits, function(f) { m <- fitMeasures(f); as.list(m[intersect(names, names(m))]) }),
       differences = lapply(2:4, function(k) pair(fits[[k - 1]], fits[[k]])))
}
errors <- paste0(PD, "\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8")
democracy_pair <- function(estimator) pair(sem(errors, democracy, estimator = estimator), sem(PD, democracy, estimator = estimator))
holes <- hs; holes$x2[seq(1, 301, 7)] <- NA; holes$x8[seq(3, 301, 5)] <- NA
tests <- list(ML = invariance("ML"), MLR = invariance("MLR"), MLM = invariance("MLM"), fiml = invariance("MLR", "fiml", holes),
              democracy_ML = democracy_pair("ML"), democracy_MLM = democracy_pair("MLM"), democracy_MLR = democracy_pair("MLR"))
write(toJSON(tests, digits = 12, auto_unbox = TRUE, na = "null", pretty = TRUE), "tests.json")
boot <- suppressWarnings(bootstrapLavaan(cfa(HS, hs), R = 4000, iseed = 11))
write(toJSON(list(names = names(coef(cfa(HS, hs))), se = apply(boot, 2, sd, na.rm = TRUE),
  lower = apply(boot, 2, quantile, 0.025, na.rm = TRUE), upper = apply(boot, 2, quantile, 0.975, na.rm = TRUE)),
  digits = 8, pretty = TRUE), "bootstrap.json")
