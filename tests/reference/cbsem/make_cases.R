# Reference results of lavaan 0.6-14 for tests/test_sem_fit.py. Run in this folder: Rscript make_cases.R
# Each case becomes CASE.json: model, arguments, estimates with standardised values, and the test statistics.
suppressMessages(library(lavaan)); library(jsonlite)
write.csv(HolzingerSwineford1939, "hs.csv", row.names = FALSE, quote = FALSE)
write.csv(PoliticalDemocracy, "democracy.csv", row.names = FALSE, quote = FALSE)
hs <- read.csv("hs.csv"); democracy <- read.csv("democracy.csv")
set.seed(20240611)
covariates <- within(data.frame(x1 = rnorm(400)), {
  x2 <- 0.4 * x1 + rexp(400); f <- 0.5 * x1 - 0.3 * x2 + rnorm(400)
  a <- 1 + f + rnorm(400); b <- 2 + 0.8 * f + rnorm(400); c <- 0.7 * f + rexp(400)
  y <- 3 + 0.6 * f + 0.2 * x1 + rnorm(400); z <- 0.5 * y + 0.3 * f + rexp(400); f <- NULL })
covariates <- round(covariates, 4); write.csv(covariates, "covariates.csv", row.names = FALSE, quote = FALSE)
data <- list(hs.csv = hs, democracy.csv = democracy, covariates.csv = covariates)

HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
PD <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"
PD_DEFINED <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + l3*y3 + l4*y4\ndem65 =~ y5 + y6 + m3*y7 + m4*y8
dem60 ~ p*ind60\ndem65 ~ q*ind60 + r*dem60\nl3 == m3\nl4 + m4 == 2.5\nindirect := p*r\ntotal := q + indirect\nratio := exp(p)/sqrt(r)"
COV <- "f =~ a + b + c\nf ~ x1 + x2\ny ~ f + x1\nz ~ y + f"
LABELS <- "visual =~ x1 + c(l2, l2)*x2 + c(u, v)*x3\ntextual =~ x4 + x5 + x6\nvisual ~~ c(s, t)*visual\nx4 ~ 1\nu == 0.8*v\ndifference := s - t"
SECOND <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\ng =~ visual + textual + speed"

case <- function(name, model, file, ...) {
  fit <- suppressWarnings(sem(model, data[[file]], ...))
  par <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE, remove.eq = TRUE, remove.system.eq = TRUE)
  if (is.null(par$group)) par$group <- 1
  keep <- par[par$op != "==", c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all")]
  out <- list(lavaan = as.character(packageVersion("lavaan")), data = file, model = model, args = list(...),
              estimates = keep, fit = as.list(fitMeasures(fit)))
  write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null", dataframe = "columns", pretty = TRUE), paste0(name, ".json"))
}
case("hs_ml", HS, "hs.csv")
case("hs_std_lv", HS, "hs.csv", std.lv = TRUE)
case("hs_observed", HS, "hs.csv", information = "observed")
case("hs_means_mlr", HS, "hs.csv", estimator = "MLR")
case("hs_mlm", HS, "hs.csv", estimator = "MLM")
case("hs_uls", HS, "hs.csv", estimator = "ULS")
case("hs_second", SECOND, "hs.csv")
case("democracy_equal", PD, "democracy.csv")
case("democracy_equal_mlr", PD, "democracy.csv", estimator = "MLR")
case("democracy_equal_mlm", PD, "democracy.csv", estimator = "MLM")
case("democracy_defined", PD_DEFINED, "democracy.csv")
case("covariates_ml", COV, "covariates.csv")
case("covariates_means", COV, "covariates.csv", meanstructure = TRUE)
case("covariates_free", COV, "covariates.csv", fixed.x = FALSE)
case("covariates_mlr", COV, "covariates.csv", estimator = "MLR")
case("covariates_mlm", COV, "covariates.csv", estimator = "MLM")
case("groups_configural", HS, "hs.csv", group = "school")
case("groups_metric", HS, "hs.csv", group = "school", group.equal = "loadings")
case("groups_scalar", HS, "hs.csv", group = "school", group.equal = c("loadings", "intercepts"))
case("groups_strict", HS, "hs.csv", group = "school", group.equal = c("loadings", "intercepts", "residuals"))
case("groups_lv", HS, "hs.csv", group = "school", std.lv = TRUE, group.equal = c("loadings", "intercepts", "lv.variances", "lv.covariances", "means"))
case("groups_labels", LABELS, "hs.csv", group = "school")
case("groups_scalar_mlr", HS, "hs.csv", group = "school", group.equal = c("loadings", "intercepts"), estimator = "MLR")
case("groups_scalar_mlm", HS, "hs.csv", group = "school", group.equal = c("loadings", "intercepts"), estimator = "MLM")
case("groups_metric_mlr", HS, "hs.csv", group = "school", group.equal = "loadings", estimator = "MLR")
case("groups_metric_mlm", HS, "hs.csv", group = "school", group.equal = "loadings", estimator = "MLM")
case("groups_configural_mlr", HS, "hs.csv", group = "school", estimator = "MLR")
