# Writes robust_residuals.json for tests/test_sem_residuals.py: lavResiduals and standardizedSolution of fits with robust
# errors, equal parameters and missing answers. Run in this folder: Rscript robust_residuals.R
suppressMessages({library(lavaan); library(jsonlite)})
HS <- read.csv("../cbsem/hs.csv"); missing <- read.csv("hs_miss.csv"); democracy <- read.csv("../cbsem/democracy.csv")
THREE <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
TAU <- "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9"
PD <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ p*ind60\ndem65 ~ ind60 + q*dem60\nindirect := p*q"
case <- function(model, data, name, ...) {
  fit <- sem(model, data, ...); G <- lavInspect(fit, "ngroups")
  residuals <- lapply(c(raw = "raw", cor_bollen = "cor.bollen", cor_bentler = "cor.bentler"), function(type) {
    r <- lavResiduals(fit, type = type, se = TRUE, zstat = TRUE, summary = FALSE, add.labels = FALSE)
    unname(if (G == 1L) list(r) else r) })
  std <- lapply(c(all = "std.all", lv = "std.lv"), function(type) {
    s <- standardizedSolution(fit, type = type); if (is.null(s$group)) s$group <- ifelse(s$op == ":=", 0, 1)
    as.data.frame(s)[c("lhs", "op", "rhs", "group", "est.std", "se", "z", "pvalue", "ci.lower", "ci.upper")] })
  list(model = model, data = name, args = list(...), residuals = residuals, standardised = std)
}
group <- "school"; metric <- "loadings"; scalar <- c("loadings", "intercepts")
write_json(list(
  mlr = case(THREE, HS, "hs", estimator = "MLR"), mlr_equal = case(TAU, HS, "hs", estimator = "MLR"), ml_equal = case(TAU, HS, "hs"), mlm = case(THREE, HS, "hs", estimator = "MLM"),
  mlm_equal = case(TAU, HS, "hs", estimator = "MLM"), observed = case(THREE, HS, "hs", information = "observed"), std_lv = case(THREE, HS, "hs", std.lv = TRUE),
  groups_metric = case(THREE, HS, "hs", group = group, group.equal = metric), groups_scalar = case(THREE, HS, "hs", group = group, group.equal = scalar),
  groups_scalar_mlr = case(THREE, HS, "hs", group = group, group.equal = scalar, estimator = "MLR"), groups_mlm = case(THREE, HS, "hs", group = group, group.equal = metric, estimator = "MLM"),
  democracy_mlr = case(PD, democracy, "democracy", estimator = "MLR"), fiml = case(THREE, missing, "hs_miss", missing = "fiml"),
  fiml_mlr = case(TAU, missing, "hs_miss", missing = "fiml", estimator = "MLR")),
  "robust_residuals.json", digits = 12, auto_unbox = TRUE, na = "null", null = "null", dataframe = "columns")
