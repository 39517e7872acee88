# Reference results of lavaan 0.6-14 for tests/test_sem_ordinal.py. Run in this folder: Rscript make_cases.R
# hs_ordinal.csv: Holzinger & Swineford (1939) as in lavaan; x1-x3 cut into 4, x4-x6 into 3, x7-x9 into 5 categories,
# c1-c9 the uncut scores; hs_missing.csv: the same with 8 % of the categories removed at random.
suppressMessages(library(lavaan)); library(jsonlite)
share <- list(c(.2, .5, .8), c(.3, .7), c(.1, .35, .6, .9))
cut_at <- function(x, p) as.integer(cut(x, c(-Inf, quantile(x, p), Inf)))
scores <- HolzingerSwineford1939[paste0("x", 1:9)]
cuts <- as.data.frame(mapply(function(x, k) cut_at(x, share[[k]]), scores, rep(1:3, each = 3)))
hs <- cbind(HolzingerSwineford1939[c("school", "ageyr")], cuts, setNames(round(scores, 4), paste0("c", 1:9)))
write.csv(hs, "hs_ordinal.csv", row.names = FALSE, quote = FALSE)
set.seed(20240611)
missing <- hs; for (v in names(cuts)) missing[[v]][runif(nrow(hs)) < 0.08] <- NA
write.csv(missing, "hs_missing.csv", row.names = FALSE, quote = FALSE, na = "")
data <- list(hs_ordinal.csv = read.csv("hs_ordinal.csv"), hs_missing.csv = read.csv("hs_missing.csv"))

HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
MIX <- "visual =~ c1 + x2 + c3\ntextual =~ x4 + c5 + x6\nspeed =~ x7 + x8 + c9"
PATHS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + a*x5 + a*x6\nspeed =~ x7 + x8 + x9\ntextual ~ p*visual\nspeed ~ q*textual + visual\nx1 ~~ x4\nindirect := p*q"
AGE <- "visual =~ x1 + x2 + c3\nspeed =~ x7 + x8 + c9\nspeed ~ visual + ageyr\nvisual ~ ageyr"
nine <- paste0("x", 1:9); five <- c("x2", "x4", "x6", "x7", "x8"); four <- c("x1", "x2", "x7", "x8")

case <- function(name, model, ordered, estimator, file = "hs_ordinal.csv", ...) {
  fit <- suppressWarnings(sem(model, data[[file]], ordered = ordered, estimator = estimator, ...))
  par <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE, remove.eq = TRUE, remove.system.eq = TRUE)
  if (is.null(par$group)) par$group <- 1
  keep <- par[par$op != "==", c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all")]
  out <- list(lavaan = as.character(packageVersion("lavaan")), data = file, model = model,
              args = c(list(estimator = estimator, ordered = ordered), list(...)),
              estimates = keep, fit = as.list(fitMeasures(fit)), shift = fit@test[[length(fit@test)]]$shift.parameter)
  write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null", null = "null", dataframe = "columns", pretty = TRUE), paste0(name, ".json"))
}
case("wlsmv", HS, nine, "WLSMV")
case("dwls", HS, nine, "DWLS")
case("theta", HS, nine, "WLSMV", parameterization = "theta")
case("std_lv", HS, nine, "WLSMV", std.lv = TRUE)
case("wlsm", HS, nine, "WLSM")
case("wlsmvs", HS, nine, "WLSMVS")
case("ulsmv", HS, nine, "ULSMV")
case("paths", PATHS, nine, "WLSMV")
case("paths_theta", PATHS, nine, "WLSMV", parameterization = "theta")
case("mixed", MIX, five, "WLSMV")
case("mixed_dwls", MIX, five, "DWLS")
case("mixed_theta", MIX, five, "WLSMV", parameterization = "theta")
case("covariate", AGE, four, "WLSMV", fixed.x = FALSE, conditional.x = FALSE)
case("listwise", HS, nine, "WLSMV", "hs_missing.csv")
case("pairwise", HS, nine, "WLSMV", "hs_missing.csv", missing = "pairwise")
case("pairwise_mixed", MIX, five, "WLSMV", "hs_missing.csv", missing = "pairwise")
case("groups", HS, nine, "WLSMV", group = "school")
case("groups_metric", HS, nine, "WLSMV", group = "school", group.equal = "loadings")
case("groups_thresholds", HS, nine, "WLSMV", group = "school", group.equal = c("loadings", "thresholds"))
case("groups_theta", HS, nine, "WLSMV", group = "school", group.equal = c("loadings", "thresholds"), parameterization = "theta")
case("groups_dwls", HS, nine, "DWLS", group = "school", group.equal = c("loadings", "thresholds"))
case("groups_mixed", MIX, five, "WLSMV", group = "school", group.equal = c("loadings", "thresholds", "intercepts"))
