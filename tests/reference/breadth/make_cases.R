# Reference results of lavaan 0.6-14 for tests/test_sem_breadth.py. Run in this folder: Rscript make_cases.R
# Tables are written first and read back, so that both programs see the same digits. Estimates are those of
# whichever search ends nearer to the optimum, the usual one or one that goes on to rel.tol = 1e-14: at its default lavaan
# stops up to 3e-4 short in intercepts far from the data. Fit measures are those of the usual search.
suppressMessages(library(lavaan)); library(jsonlite)
hs <- HolzingerSwineford1939
hs <- within(hs[c("school", "grade", paste0("x", 1:9))], { male <- as.integer(HolzingerSwineford1939$sex == 1)
  age <- round(HolzingerSwineford1939$ageyr + HolzingerSwineford1939$agemo / 12, 4); grade[is.na(grade)] <- 7 })
set.seed(7); gaps <- hs; for (v in paste0("x", 1:9)) gaps[[v]][runif(nrow(hs)) < 0.1] <- NA
set.seed(8); democracy <- PoliticalDemocracy; for (v in names(democracy)) democracy[[v]][runif(75) < 0.05] <- NA
set.seed(9); growth <- round(Demo.growth, 4); for (v in paste0("t", 1:4)) growth[[v]][runif(400) < 0.12] <- NA
set.seed(11); n <- 600; cut_at <- function(y, p) as.integer(cut(y, c(-Inf, quantile(y, p), Inf)))
x1 <- rnorm(n); x2 <- as.integer(runif(n) < .4); f <- .5 * x1 - .3 * x2 + rnorm(n); g <- .6 * f + .2 * x1 + rnorm(n)
survey <- data.frame(region = rep(c("a", "b", "c"), length = n), x1 = round(x1, 4), x2 = x2,
  u1 = cut_at(f + rnorm(n), c(.3, .6, .85)), u2 = cut_at(.8 * f + rnorm(n), c(.2, .5, .7)),
  u3 = cut_at(.9 * f + rnorm(n), c(.4, .8)), v1 = cut_at(g + rnorm(n), c(.25, .5, .75)),
  v2 = cut_at(.7 * g + rnorm(n), c(.3, .6)), v3 = cut_at(1.1 * g + rnorm(n), c(.2, .4, .6, .8)),
  b1 = as.integer(f + rnorm(n) > 0), b2 = as.integer(f + rnorm(n) > .5), b3 = as.integer(.8 * f + rnorm(n) > -.4),
  b4 = as.integer(.7 * f + rnorm(n) > .2), c1 = round(f + rnorm(n), 4), c2 = round(.8 * g + rnorm(n), 4),
  c3 = round(.9 * g + rexp(n), 4), y = as.integer(.5 * g + rnorm(n) > 0))
set.seed(12); holes <- survey; for (v in names(survey)[-1]) holes[[v]][runif(n) < 0.05] <- NA
data <- list(hs = hs, gaps = gaps, democracy = democracy, growth = growth, survey = survey, holes = holes)
for (name in names(data)) {
  write.csv(data[[name]], paste0(name, ".csv"), row.names = FALSE, quote = FALSE, na = "")
  data[[name]] <- read.csv(paste0(name, ".csv"))
}

cases <- list()
case <- function(name, table, model, ...) {
  usual <- suppressWarnings(sem(model, data[[table]], ...))
  stopifnot(lavInspect(usual, "converged"))
  fit <- suppressWarnings(sem(model, data[[table]], ..., optim.force.converged = TRUE, baseline = FALSE,
                              control = list(rel.tol = 1e-14, x.tol = 1e-12)))
  nearer <- max(abs(lavInspect(fit, "gradient"))) < max(abs(lavInspect(usual, "gradient")))
  if (!nearer || abs(fit@optim$fx - usual@optim$fx) > 1e-8) fit <- usual
  rows <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE, remove.eq = TRUE, remove.system.eq = TRUE)
  rows <- rows[rows$op != "==", ]; if (is.null(rows$group)) rows$group <- 1
  rows <- as.data.frame(rows)[c("lhs", "op", "rhs", "group", "est", "se", "z", "pvalue", "ci.lower", "ci.upper", "std.lv", "std.all")]
  explained <- lavInspect(fit, "rsquare", drop.list.single.group = FALSE)
  cases[[name]] <<- list(data = table, model = model, args = list(...), estimates = rows,
                         r_squared = lapply(unname(explained), as.list), fit = as.list(fitMeasures(usual)))
}

HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
SECOND <- paste0(HS, "\ng =~ visual + textual + speed")
COMPOSITE <- "C <~ 1*x1 + x2 + x3\nspeed =~ x7 + x8 + x9\ntextual =~ x4 + x5 + x6\nspeed ~ C\ntextual ~ C + speed"
CAUSES <- "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nvisual ~ age + male\nspeed ~ visual + age"
DIRECT <- "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nvisual ~ age + male\nspeed ~ visual + grade\nx3 ~ male"
LABELS <- "visual =~ x1 + c(a, a)*x2 + c(b, d)*x3\nspeed =~ x7 + x8 + x9\nspeed ~ c(p, q)*visual\nx7 ~ c(m, m)*1\ndiff := p - q\nb == 0.9*d"
SINGLE <- "visual =~ x1 + x2 + x3\nA =~ age\nage ~~ 0.2*age\nS =~ x7\nvisual ~ A\nS ~ visual"
PD <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ p*ind60\ndem65 ~ q*ind60 + r*dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\nindirect := p*r\ntotal := q + p*r\nshare := indirect/total"
GROWTH <- "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\ni + s ~ 1\nt1 + t2 + t3 + t4 ~ 0*1"
COVARIED <- paste0(GROWTH, "\ni ~ x1 + x2\ns ~ x1 + x2\nt1 ~ c1\nt2 ~ c2\nt3 ~ c3\nt4 ~ c4")
both <- c("loadings", "intercepts")

for (e in c("ML", "MLR", "MLM", "ULS")) {
  case(paste0("composite_", e), "hs", COMPOSITE, estimator = e)
  case(paste0("direct_", e), "hs", DIRECT, estimator = e)
  case(paste0("causes_groups_", e), "hs", CAUSES, estimator = e, group = "school", group.equal = c(both, "regressions"))
  case(paste0("labels_", e), "hs", LABELS, estimator = e, group = "school")
  case(paste0("covaried_", e), "growth", COVARIED, estimator = e)
}
for (e in c("MLR", "MLM", "ULS")) {
  case(paste0("democracy_", e), "democracy", PD, estimator = e, meanstructure = TRUE)
  case(paste0("second_", e), "hs", SECOND, estimator = e, std.lv = TRUE)
  case(paste0("strict_", e), "hs", HS, estimator = e, group = "school", group.equal = c(both, "residuals", "lv.variances"))
  case(paste0("single_", e), "hs", SINGLE, estimator = e)
}
case("groups_ULS", "hs", HS, estimator = "ULS", group = "school", group.equal = both)
case("latent_mean", "hs", "visual =~ x1 + x2 + x3\nx1 ~ 0*1\nvisual ~ 1\nspeed =~ x7 + x8 + x9")
case("orthogonal", "hs", HS, orthogonal = TRUE)
case("bifactor", "hs", "g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9\ns =~ x7 + x8 + x9\ng ~~ 0*s")
case("free_covariates", "hs", "x1 ~ x2 + x3\nx4 ~ x1 + x2", estimator = "MLM", fixed.x = FALSE)
case("expected", "democracy", PD, estimator = "MLR", information = "expected")
for (e in c("ML", "MLR")) {
  case(paste0("fiml_direct_", e), "gaps", DIRECT, estimator = e, missing = "fiml")
  case(paste0("fiml_causes_groups_", e), "gaps", CAUSES, estimator = e, missing = "fiml", group = "school")
  case(paste0("fiml_expected_", e), "gaps", HS, estimator = e, missing = "fiml", information = "expected")
  case(paste0("fiml_given_", e), "gaps", "visual =~ x1 + x2 + x3\nvisual ~ x4 + x5\nx7 ~ visual", estimator = e, missing = "fiml")
  case(paste0("fiml_covaried_", e), "growth", COVARIED, estimator = e, missing = "fiml")
  case(paste0("fiml_democracy_", e), "democracy", PD, estimator = e, missing = "fiml")
  case(paste0("fiml_composite_", e), "gaps", COMPOSITE, estimator = e, missing = "fiml")
  case(paste0("fiml_labels_", e), "gaps", LABELS, estimator = e, missing = "fiml", group = "school")
  case(paste0("fiml_scalar_", e), "gaps", HS, estimator = e, missing = "fiml", std.lv = TRUE, group = "school", group.equal = both)
}

U <- c("u1", "u2", "u3", "v1", "v2", "v3"); B <- c("b1", "b2", "b3", "b4"); some <- c("u2", "u3", "v1")
CHAIN <- "F =~ u1 + u2 + u3\nG =~ v1 + v2 + v3\nG ~ F"
MIMIC <- "F =~ u1 + u2 + u3\nG =~ v1 + v2 + v3\nF ~ x1 + x2\nG ~ F + x1"
MIXED <- "F =~ c1 + u2 + u3\nG =~ c2 + c3 + v1\nF ~ a*x1 + x2\nG ~ b*F\nv1 ~ x2\nindirect := a*b"
PLAIN <- "F =~ c1 + u2 + u3\nG =~ c2 + c3 + v1\nG ~ F"
equal <- c("loadings", "thresholds")
for (p in c("delta", "theta")) {
  case(paste0("mimic_", p), "survey", MIMIC, estimator = "WLSMV", ordered = U, parameterization = p)
  case(paste0("mimic_mixed_", p), "survey", MIXED, estimator = "WLSMV", ordered = some, parameterization = p)
  case(paste0("mimic_groups_", p), "survey", MIMIC, estimator = "WLSMV", ordered = U, parameterization = p, group = "region")
  case(paste0("mimic_equal_", p), "survey", MIMIC, estimator = "WLSMV", ordered = U, parameterization = p, group = "region", group.equal = c(equal, "regressions"))
  case(paste0("mimic_thresholds_", p), "survey", MIMIC, estimator = "WLSMV", ordered = some, parameterization = p, group = "region", group.equal = equal)
  case(paste0("mimic_scalar_", p), "survey", MIMIC, estimator = "WLSMV", ordered = some, parameterization = p, group = "region", group.equal = c(equal, "intercepts"))
  case(paste0("binary_", p), "survey", "F =~ b1 + b2 + b3 + b4", estimator = "WLSMV", ordered = B, parameterization = p, group = "region", group.equal = equal)
  case(paste0("subset_groups_", p), "survey", PLAIN, estimator = "WLSMV", ordered = some, parameterization = p, group = "region", group.equal = c(equal, "intercepts"))
}
for (e in c("DWLS", "WLSM", "WLSMVS", "ULSMV")) case(paste0("mimic_", e), "survey", MIMIC, estimator = e, ordered = U)
case("mimic_listwise", "holes", MIMIC, estimator = "WLSMV", ordered = U)
case("mimic_pairwise", "holes", MIMIC, estimator = "WLSMV", ordered = U, missing = "pairwise")
case("mimic_mixed_pairwise", "holes", MIXED, estimator = "WLSMV", ordered = some, missing = "pairwise")
case("mimic_composite", "survey", "C <~ 1*c1 + c2\nF =~ u1 + u2 + u3\nF ~ C", estimator = "WLSMV", ordered = U)
case("mimic_observed", "survey", "u1 ~ x1 + x2\nv1 ~ x2 + x1\nc1 ~ x1", estimator = "WLSMV", ordered = U)
case("mimic_std_lv", "survey", MIMIC, estimator = "WLSMV", ordered = U, std.lv = TRUE)
case("ordinal_second", "survey", "F =~ u1 + u2 + u3\nG =~ v1 + v2 + v3\nH =~ b1 + b2 + b3\nT =~ F + G + H", estimator = "WLSMV", ordered = c(U, B))
case("ordinal_single", "survey", "F =~ u1 + u2 + u3\nC =~ c1\nC ~ F", estimator = "WLSM", ordered = U)
case("ordinal_labels", "survey", "F =~ u1 + a*u2 + a*u3\nG =~ v1 + d*v2 + e*v3\nG ~ p*F\nd == 0.7*e\nz := p*a", estimator = "WLSMV", ordered = U)
write(toJSON(list(lavaan = as.character(packageVersion("lavaan")), cases = cases), digits = 9, auto_unbox = TRUE,
             na = "null", null = "null", dataframe = "columns"), "cases.json")
