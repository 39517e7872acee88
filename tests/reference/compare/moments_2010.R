# The 2010 difference of the metric and the scalar model with the metric model taken where it implies exactly the moments
# of the scalar one, for tests/test_sem_compare.py. Run in this folder: Rscript moments_2010.R
suppressMessages(library(lavaan)); library(jsonlite)
hs <- read.csv("../cbsem/hs.csv"); holes <- hs; holes$x2[seq(1, 301, 7)] <- NA; holes$x8[seq(3, 301, 5)] <- NA
HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
at_moments <- function(data, missing) {
  metric <- cfa(HS, data, group = "school", estimator = "MLR", missing = missing, group.equal = "loadings")
  scalar <- cfa(HS, data, group = "school", estimator = "MLR", missing = missing, group.equal = c("loadings", "intercepts"))
  implied <- lavInspect(scalar, "implied"); plan <- parTable(metric); other <- parTable(scalar)
  for (i in which(plan$free > 0)) {
    twin <- other$lhs == plan$lhs[i] & other$op == plan$op[i] & other$rhs == plan$rhs[i] & other$group == plan$group[i]
    plan$est[i] <- if (plan$op[i] == "~1") implied[[plan$group[i]]]$mean[plan$lhs[i]] else other$est[twin]
  }
  plan$start <- plan$est
  options <- metric@Options; options$optim.method <- "none"; options$optim.force.converged <- TRUE; options$baseline <- FALSE; options$start <- plan
  table <- parTable(metric); table$start <- table$est <- table$se <- NULL
  moved <- lavaan(table, slotOptions = options, slotSampleStats = metric@SampleStats, slotData = metric@Data, slotCache = metric@Cache)
  carried <- lavaan:::lav_test_diff_m10(metric, scalar, test = TRUE)  # what lavTestLRT uses: estimates carried over by name
  away <- function(fit) max(abs(unlist(lavInspect(fit, "implied")) - unlist(implied)))
  df <- c(metric@test[[1]]$df, scalar@test[[1]]$df); c0 <- scalar@test[[2]]$scaling.factor
  difference <- function(fit) (scalar@test[[1]]$stat - metric@test[[1]]$stat) * diff(df) / (df[2] * c0 - df[1] * fit@test[[2]]$scaling.factor)
  list(chisq_diff = difference(moved), moments_away = away(moved), lavaan = difference(carried), lavaan_moments_away = away(carried))
}
suppressWarnings(write(toJSON(list(MLR = at_moments(hs, "listwise"), fiml = at_moments(holes, "fiml")), digits = 12, auto_unbox = TRUE, pretty = TRUE), "moments_2010.json"))
