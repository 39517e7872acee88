# Reference results of lavaan for incomplete data. Rscript lavaan_fiml.R FOLDER  (see README.md)
suppressMessages({library(lavaan); library(jsonlite)})
folder <- commandArgs(trailingOnly = TRUE)[1]
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))

two_factors <- "A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
B ~ A
y ~ A + B"
covariates <- "B =~ b1 + b2 + b3
B ~ a1 + a2"
two_groups <- "A =~ a1 + c(l2, l2)*a2 + c(l3, l3)*a3
B =~ b1 + b2 + b3
B ~ A
y ~ A + B"
hs <- "visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9"
ecsi <- "Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Image + Satisfaction + Complaints"

result <- function(model, data, estimator = "ML", group = NULL) {
  seconds <- system.time(fit <- suppressWarnings(
    sem(model, data, missing = "fiml", estimator = estimator, group = group, em.h1.tol = 1e-11,
        em.h1.iter.max = 5000)))[["elapsed"]]
  p <- as.data.frame(parameterEstimates(fit))
  if (is.null(p$group)) p$group <- 1
  m <- fitMeasures(fit)
  unstructured <- fit
  unstructured@Options$h1.information <- c("unstructured", "unstructured")
  corrected <- lavaan:::lav_fit_fiml_corrected(fit, version = if (estimator == "MLR") "V3" else "V6")
  h1 <- lavInspect(fit, "h1", drop.list.single.group = FALSE)
  list(model = model, estimator = estimator, seconds = seconds, n = lavInspect(fit, "ntotal"),
       parameters = p[, c("lhs", "op", "rhs", "group", "est", "se")],
       fit = as.list(m[!is.na(m)]), 
       saturated = lapply(unname(h1), function(g) list(cov = unclass(g$cov), mean = as.numeric(g$mean))),
       corrected = corrected[c("XX3", "c.hat3", "XX3.null", "c.hat3.null")],
       information_h1 = unclass(unname(
         lavInspect(unstructured, "h1.information.observed", drop.list.single.group = FALSE)[[1]])[1:9, 1:9]))
}

patterns <- read.csv(file.path(here, "patterns.csv"))
cases <- list(
  patterns_ml = result(two_factors, patterns),
  patterns_mlr = result(two_factors, patterns, "MLR"),
  groups_ml = result(two_groups, patterns, group = "group"),
  groups_mlr = result(two_groups, patterns, "MLR", group = "group"),
  hs_ml = result(hs, read.csv(file.path(folder, "hs.csv"))),
  mobi_ml = result(ecsi, read.csv(file.path(folder, "mobi.csv")))
)
fit <- suppressWarnings(sem(covariates, patterns, missing = "fiml", em.h1.tol = 1e-11, em.h1.iter.max = 5000))
given <- list(model = covariates, n = lavInspect(fit, "ntotal"), fit = as.list(fitMeasures(fit)),
              parameters = parameterEstimates(fit)[, c("lhs", "op", "rhs", "est", "se")])
write(toJSON(list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")), cases = cases, covariates = given), digits = 12,
             auto_unbox = TRUE, pretty = FALSE, na = "null"), file.path(here, "lavaan_fiml.json"))
