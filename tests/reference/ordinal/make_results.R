# What lavaan 0.6-14 says after an ordinal fit, for tests/test_sem_ordinal.py: residuals, modification indices, factor
# scores, standardised errors (results.json), difference tests (differences.json), thresholds in the text
# (thresholds.json). Run in this folder, after make_cases.R: Rscript make_results.R
suppressMessages(library(lavaan)); library(jsonlite)
hs <- read.csv("hs_ordinal.csv"); missing <- read.csv("hs_missing.csv")
binary <- hs; for (k in 1:9) binary[[paste0("x", k)]] <- as.integer(hs[[paste0("c", k)]] > median(hs[[paste0("c", k)]]))
write.csv(binary[c("school", paste0("x", 1:9))], "hs_binary.csv", row.names = FALSE, quote = FALSE)
data <- list(hs_ordinal.csv = hs, hs_missing.csv = missing, hs_binary.csv = binary)
HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
MIX <- "visual =~ c1 + x2 + c3\ntextual =~ x4 + c5 + x6\nspeed =~ x7 + x8 + c9"
PATHS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + a*x5 + a*x6\nspeed =~ x7 + x8 + x9\ntextual ~ p*visual\nspeed ~ q*textual + visual\nx1 ~~ x4\nindirect := p*q"
AGE <- "visual =~ x1 + x2 + c3\nspeed =~ x7 + x8 + c9\nspeed ~ visual + ageyr\nvisual ~ ageyr"
nine <- paste0("x", 1:9); five <- c("x2", "x4", "x6", "x7", "x8"); four <- c("x1", "x2", "x7", "x8")
wanted <- commandArgs(TRUE)  # names of the files to make; none: all
save <- function(what, path) if (!length(wanted) || path %in% wanted) write(toJSON(what, digits = 12, auto_unbox = TRUE, na = "null", null = "null", dataframe = "columns", pretty = FALSE), path)
per <- function(x) unname(if (is.list(x) && !is.data.frame(x)) x else list(x))
fitted <- function(model, ordered, estimator, file, ...) suppressWarnings(sem(model, data[[file]], ordered = ordered, estimator = estimator, ...))

result <- function(model, ordered, estimator = "WLSMV", file = "hs_ordinal.csv", ...) {
  fit <- fitted(model, ordered, estimator, file, ...)
  scores <- lavInspect(fit, "ngroups") == 1 && lavInspect(fit, "options")$parameterization == "delta"  # see README.md
  residuals <- lapply(c(raw = "raw", cor_bollen = "cor.bollen"), function(type) {
    r <- lavResiduals(fit, type = type, se = TRUE, zstat = TRUE, summary = FALSE, add.labels = FALSE)
    keep <- function(g) lapply(g[intersect(names(g), c("cov", "th", "cov.se", "th.se", "cov.z"))], unclass)
    unname(if (lavInspect(fit, "ngroups") == 1) list(keep(r)) else lapply(r, keep)) })
  mi <- suppressWarnings(modindices(fit)); if (is.null(mi$group)) mi$group <- 1
  std <- standardizedSolution(fit); if (is.null(std$group)) std$group <- 1
  std <- std[!duplicated(std[c("lhs", "op", "rhs", "group")]), c("lhs", "op", "rhs", "group", "est.std", "se")]
  score <- function(method) tryCatch(lapply(per(lavPredict(fit, method = method)), function(s) unclass(s)[1:15, , drop = FALSE]), error = function(e) NULL)
  list(data = file, model = model, args = c(list(estimator = estimator, ordered = ordered), list(...)), residuals = residuals,
       modification = as.data.frame(mi)[c("lhs", "op", "rhs", "group", "mi", "epc", "sepc.lv", "sepc.all")], standardised = as.data.frame(std),
       scores = if (scores) list(regression = score("EBM"), bartlett = score("ML")))
}
equal <- c("loadings", "thresholds")
save(list(
  plain = result(HS, nine), theta = result(HS, nine, parameterization = "theta"), dwls = result(HS, nine, "DWLS"), ulsmv = result(HS, nine, "ULSMV"),
  binary = result(HS, nine, file = "hs_binary.csv"), pairwise = result(HS, nine, file = "hs_missing.csv", missing = "pairwise"),
  mixed = result(MIX, five), mixed_theta = result(MIX, five, parameterization = "theta"), mixed_pairwise = result(MIX, five, file = "hs_missing.csv", missing = "pairwise"),
  paths = result(PATHS, nine), groups = result(HS, nine, group = "school"), groups_equal = result(HS, nine, group = "school", group.equal = equal),
  groups_theta = result(HS, nine, group = "school", group.equal = equal, parameterization = "theta"),
  covariate = result(AGE, four, fixed.x = FALSE, conditional.x = FALSE)), "results.json")

difference <- function(free, restricted, ordered, estimator = "WLSMV", file = "hs_ordinal.csv", free_args = list(), restricted_args = list(), ...) {
  fits <- lapply(list(c(list(free), free_args), c(list(restricted), restricted_args)), function(a)
    do.call(fitted, c(a[1], list(ordered, estimator, file), a[-1], list(...))))
  test <- lavTestLRT(fits[[1]], fits[[2]])
  list(data = file, models = list(free, restricted), free_args = free_args, restricted_args = restricted_args, args = c(list(estimator = estimator, ordered = ordered), list(...)),
       chisq = test$Chisq, df = test$Df, chisq_diff = test[2, "Chisq diff"], df_diff = test[2, "Df diff"], pvalue = test[2, "Pr(>Chisq)"])
}
TAU <- "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9"
ORTHOGONAL <- paste0(HS, "\nvisual ~~ 0*textual\nvisual ~~ 0*speed")
group <- list(group = "school"); eq <- list(group = "school", group.equal = equal)
strict <- list(group = "school", group.equal = c(equal, "residuals"), parameterization = "theta")
save(list(
  orthogonal = difference(HS, ORTHOGONAL, nine), labels = difference(HS, TAU, nine), theta = difference(HS, TAU, nine, parameterization = "theta"),
  both = difference(TAU, paste0(TAU, "\nvisual ~~ 0*speed"), nine), wlsmvs = difference(HS, ORTHOGONAL, nine, "WLSMVS"), ulsmv = difference(HS, ORTHOGONAL, nine, "ULSMV"),
  wlsm = difference(HS, ORTHOGONAL, nine, "WLSM"), dwls = difference(HS, ORTHOGONAL, nine, "DWLS"), binary = difference(HS, ORTHOGONAL, nine, file = "hs_binary.csv"),
  pairwise = difference(HS, TAU, nine, file = "hs_missing.csv", missing = "pairwise"), mixed = difference(MIX, paste0(MIX, "\nvisual ~~ 0*speed"), five),
  scalar = difference(HS, HS, nine, free_args = group, restricted_args = eq), strict = difference(HS, HS, nine, free_args = eq, restricted_args = strict),
  metric = difference(HS, HS, nine, free_args = group, restricted_args = list(group = "school", group.equal = "loadings"))), "differences.json")

text <- function(model, ordered, estimator = "WLSMV", file = "hs_ordinal.csv", ...) {
  fit <- fitted(model, ordered, estimator, file, ...)
  par <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE, remove.eq = TRUE, remove.system.eq = TRUE)
  if (is.null(par$group)) par$group <- 1
  list(data = file, model = model, args = c(list(estimator = estimator, ordered = ordered), list(...)),
       estimates = as.data.frame(par[par$op != "==", c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all")]), fit = as.list(fitMeasures(fit, c("chisq", "df", "npar", "chisq.scaled", "cfi.scaled", "rmsea.scaled", "srmr"))))
}
save(list(
  written = text(paste0(HS, "\nx1 | t1 + t2 + t3\nx4 | start(-0.4)*t1 + t2"), nine), fixed = text(paste0(HS, "\nx1 | -0.8*t1 + 0*t2\nx4 | -0.5*t1"), nine),
  labels = text(paste0(HS, "\nx4 | u*t1\nx5 | u*t1\nx6 | w*t2\nx4 | w*t2\nspan := w - u"), nine), constraint = text(paste0(HS, "\nx4 | u*t1 + w*t2\nw == -1*u"), nine),
  groups = text(paste0(HS, "\nx4 | c(u, u)*t1 + c(w, w)*t2\nx1 | c(-0.8, NA)*t1"), nine, group = "school"),
  scales = text(paste0(HS, "\nx4 | c(u, u)*t1 + c(w, w)*t2\nx4 ~*~ c(1, NA)*x4"), nine, group = "school"),
  equal = text(HS, nine, group = "school", group.equal = "thresholds"), equal_mixed = text(MIX, five, group = "school", group.equal = equal), fixed_theta = text(paste0(HS, "\nx1 | -0.8*t1 + 0*t2"), nine, parameterization = "theta"),
  implied = text(paste0(HS, "\nx1 | t1\nx2 | t1\nx3 | t1\nx4 | t1\nx5 | t1\nx6 | t1\nx7 | t1\nx8 | t1\nx9 | t1"), nine)), "thresholds.json")
