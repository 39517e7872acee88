# Writes the reference numbers of tests/test_sem_measures.py: fit measures by lavaan 0.6-14 and the moments they come from.
# Run in this folder: Rscript measures.R
suppressMessages({library(lavaan); library(jsonlite)})

HS <- HolzingerSwineford1939
items <- paste0("x", 1:9)
three <- "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9"
democracy <- "ind60 =~ x1+x2+x3\ndem60 =~ y1+y2+y3+y4\ndem65 =~ y5+y6+y7+y8
dem60 ~ ind60\ndem65 ~ ind60+dem60
y1 ~~ y5\ny2 ~~ y4+y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"
HS_miss <- read.csv("hs_miss.csv")
HS_ord <- HS
HS_ord[items] <- lapply(HS[items], function(x) as.integer(cut(x, quantile(x, c(0, .3, .75, 1)), include.lowest = TRUE)))
HS_mix <- HS
HS_mix[items[4:9]] <- HS_ord[items[4:9]]

group_test <- function(t, i) if (is.null(t)) NULL else t[[i]]
write_case <- function(name, fit, extra = list()) {
  tests <- fit@test; base <- fit@baseline$test
  plain <- function(t) lapply(t, function(x) x[intersect(names(x), c("test", "stat", "df", "pvalue", "scaling.factor", "shift.parameter"))])
  samp <- lavTech(fit, "sampstat"); impl <- lavTech(fit, "implied")
  G <- lavInspect(fit, "ngroups")
  per <- function(x) unname(if (G == 1L && !is.list(x[[1]])) list(x) else x)
  pick <- function(x) lapply(per(x), function(g) g[intersect(c("cov", "mean", "th"), names(g))])
  out <- list(
    case = name, origin = paste("lavaan", packageVersion("lavaan"), R.version.string),
    estimator = fit@Options$estimator, nobs = fit@SampleStats@nobs, npar = fit@Fit@npar,
    meanstructure = fit@Model@meanstructure, categorical = fit@Model@categorical,
    x_idx = fit@SampleStats@x.idx[[1]],
    test = plain(tests), baseline = plain(base),
    sample = pick(samp), implied = pick(impl), fit = as.list(unclass(fitMeasures(fit))))
  write_json(c(out, extra), paste0(name, ".json"), digits = 12, auto_unbox = TRUE, na = "null", null = "null")
}
weights <- function(fit) list(wls_v = unname(lapply(lavTech(fit, "wls.v"), diag)))
ordinal <- function(fit) {
  corrected <- tryCatch(lavaan:::lav_fit_catml_dwls(fit), error = function(e) NULL)
  c(weights(fit), list(corrected = corrected, delta = unname(lavTech(fit, "delta")), gamma = unname(lavTech(fit, "gamma"))))
}
missing_case <- function(fit, version) list(corrected = lavaan:::lav_fit_fiml_corrected(fit, version), parameters = parTable(fit)[c("lhs", "op", "rhs", "group", "est")])

write_case("hs_mlm", cfa(three, HS, estimator = "MLM"))
write_case("hs_groups_mlr", cfa(three, HS, group = "school", group.equal = "loadings", estimator = "MLR"))
write_case("hs_groups_mean", cfa(three, HS, group = "school", group.equal = c("loadings", "intercepts")))
f <- cfa(three, HS, estimator = "ULS"); write_case("hs_uls", f, list(wls_v = list(rep(1, 45))))
write_case("hs_mlmv", cfa(three, HS, estimator = "MLMV"))
write_case("hs_mlmvs", cfa(three, HS, estimator = "MLMVS"))
write_case("democracy_ml", sem(democracy, PoliticalDemocracy))
write_case("democracy_mean", sem(democracy, PoliticalDemocracy, meanstructure = TRUE))
write_case("saturated_ml", cfa("f =~ x1+x2+x3", HS))
write_case("saturated_mlr", cfa("f =~ x1+x2+x3", HS, estimator = "MLR"))
write_case("hs_covariates", sem(paste0(three, "\nvisual ~ ageyr + sex\nspeed ~ ageyr"), HS))
write_case("hs_covariates_mean", sem(paste0(three, "\nvisual ~ ageyr + sex\nspeed ~ ageyr"), HS, meanstructure = TRUE))
f <- cfa(three, HS)
write_case("perfect_ml", cfa(three, sample.cov = fitted(f)$cov, sample.nobs = 301))
f <- cfa(three, HS_miss, missing = "fiml"); write_case("hs_fiml", f, missing_case(f, "V6"))
f <- cfa(three, HS_miss, missing = "fiml", estimator = "MLR"); write_case("hs_fiml_mlr", f, missing_case(f, "V3"))
HS_miss$school <- rep(c("a", "b"), c(150, 151))
f <- cfa(three, HS_miss, missing = "fiml", group = "school", group.equal = "loadings"); write_case("hs_fiml_groups", f, missing_case(f, "V6"))
f <- cfa(three, HS_ord, ordered = items); write_case("hs_wlsmv", f, ordinal(f))
f <- cfa(three, HS_ord, ordered = items, group = "school"); write_case("hs_wlsmv_groups", f, ordinal(f))
f <- cfa(three, HS_mix, ordered = items[4:9]); write_case("hs_mixed_wlsmv", f, ordinal(f))
f <- cfa(three, HS_ord, ordered = items, estimator = "DWLS"); write_case("hs_dwls", f, weights(f))
