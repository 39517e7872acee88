# Writes the reference numbers of tests/test_sem_residuals.py: residuals, modification indices, factor scores, reliability.
# Run in this folder: Rscript residuals.R
suppressMessages({library(lavaan); library(jsonlite)})

HS <- HolzingerSwineford1939
three <- "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9"
democracy <- "ind60 =~ x1+x2+x3\ndem60 =~ y1+y2+y3+y4\ndem65 =~ y5+y6+y7+y8
dem60 ~ ind60\ndem65 ~ ind60+dem60
y1 ~~ y5\ny2 ~~ y4+y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"

write_case <- function(name, fit, model) {
  G <- lavInspect(fit, "ngroups")
  per <- function(x) unname(if (G == 1L) list(x) else x)
  residuals <- lapply(c(raw = "raw", cor_bollen = "cor.bollen", cor_bentler = "cor.bentler"), function(type) {
    r <- lavResiduals(fit, type = type, se = TRUE, zstat = TRUE, summary = FALSE, add.labels = FALSE)
    per(r) })
  mi <- tryCatch(modindices(fit), error = function(e) NULL)
  scores <- lapply(c(regression = "regression", Bartlett = "Bartlett"), function(m) {
    s <- lavPredict(fit, method = m); lapply(unname(if (is.list(s)) s else list(s)), function(x) unclass(x)[1:10, , drop = FALSE]) })
  reliability <- tryCatch(list(observed = semTools::compRelSEM(fit), implied = semTools::compRelSEM(fit, obs.var = FALSE), ave = semTools::AVE(fit)), error = function(e) NULL)
  write_json(list(
    case = name, origin = paste("lavaan", packageVersion("lavaan"), "semTools", packageVersion("semTools"), R.version.string),
    model = model, nobs = fit@SampleStats@nobs, information = fit@Options$information[1], observed = lavNames(fit, "ov"),
    meanstructure = fit@Model@meanstructure, sample = per(unclass(lavTech(fit, "sampstat", drop.list.single.group = TRUE))),
    parameters = parTable(fit)[c("lhs", "op", "rhs", "group", "free", "est")],
    residuals = residuals, modification = mi, scores = scores, reliability = lapply(reliability, function(x) if (is.data.frame(x)) as.list(x) else as.list(x))),
    paste0(name, ".json"), digits = 12, auto_unbox = TRUE, na = "null", null = "null", dataframe = "rows")
}
write_case("residuals_hs", cfa(three, HS), three)
write_case("residuals_hs_mean", cfa(three, HS, meanstructure = TRUE), three)
write_case("residuals_hs_observed", cfa(three, HS, information = "observed"), three)
write_case("residuals_democracy", sem(democracy, PoliticalDemocracy), democracy)
write_case("residuals_democracy_mean", sem(democracy, PoliticalDemocracy, meanstructure = TRUE), democracy)
write_case("residuals_hs_groups", cfa(three, HS, group = "school"), three)
fixed <- "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9\nvisual ~~ 0*speed"
write_case("residuals_hs_fixed", cfa(fixed, HS), fixed)
covariates <- paste0(three, "\nvisual ~ ageyr + sex\nspeed ~ ageyr")
write_case("residuals_hs_covariates", sem(covariates, HS), covariates)
write.csv(HS[1:301, c(paste0("x", 1:9), "ageyr", "sex")], "scores_answers.csv", row.names = FALSE)
