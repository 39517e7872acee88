# Reference numbers for tests/test_sem_polychoric.py, by lavaan 0.6-14 and polycor 0.8-1.
# Run in this folder: Rscript make.R [mobi5.csv]
# mobi5.csv is the mobile survey in five categories, written by Python: load_mobi(), numpy.digitize(x, [6, 8, 9, 10]) + 1.

suppressMessages({library(lavaan); library(polycor)})

# One row a statistic: its name, its value (lavaan's wls.obs), and its row of lavaan's gamma.
reference <- function(case, data, ordered, missing = "listwise") {
  fit <- suppressWarnings(lavCor(data, ordered = ordered, missing = missing, output = "fit", estimator = "DWLS",
                                 se = "robust.sem"))
  statistic <- lavInspect(fit, "wls.obs")
  gamma <- lavTech(fit, "gamma")[[1]]
  dimnames(gamma) <- NULL
  out <- cbind(statistic = as.numeric(statistic), gamma)
  write.table(data.frame(label = names(statistic), format(out, digits = 12, scientific = TRUE, trim = TRUE)),
              paste0(case, ".lavaan.csv"), sep = ",", quote = FALSE, row.names = FALSE,
              col.names = c("label", "statistic", names(statistic)))
}

write_data <- function(case, data) write.csv(data, paste0(case, ".csv"), row.names = FALSE, na = "", quote = FALSE)

category <- function(x, cuts) as.integer(cut(x, c(-Inf, cuts, Inf)))

# 1. Ordinal items with 2 to 7 categories; 2. the same with answers missing.
set.seed(20050101)
n <- 150
trait <- rnorm(n)
ordinal <- data.frame(
  two = category(trait + rnorm(n), 0.4), three = category(-trait + rnorm(n), c(-0.8, 0.5)),
  four = category(trait + rnorm(n), c(-1.5, 0, 1)), five = category(trait + 0.6 * rnorm(n), c(-1.2, -0.4, 0.3, 1.1)),
  seven = category(0.5 * trait + rnorm(n), c(-1.6, -1, -0.3, 0.2, 0.9, 1.5)), other = category(rnorm(n), c(-1, 0, 1, 1.6)))
write_data("ordinal", ordinal)
reference("ordinal", ordinal, names(ordinal))
two_step <- sapply(ordinal, function(x) sapply(ordinal, function(y) polychor(x, y, ML = FALSE)))
diag(two_step) <- 1
write.table(format(two_step, digits = 12), "ordinal.polycor.csv", sep = ",", quote = FALSE, row.names = FALSE)

holes <- ordinal
for (j in seq_along(holes)) holes[runif(n) < 0.12, j] <- NA
holes[17, ] <- NA
write_data("holes", holes)
reference("holes_pairwise", holes, names(holes), "pairwise")
reference("holes_listwise", holes, names(holes), "listwise")

# 3. Ordinal and continuous columns; 4. the same with answers missing. The continuous ones are kept small on purpose:
# lavaan 0.6-14 drops answers whose likelihood is under 1.5e-8 from a polyserial correlation, and that likelihood holds
# the density in the units of the column, so its results depend on the unit (x in thousands and x in units differ).
mixed <- data.frame(
  agree = category(trait + rnorm(n), c(-1, 0, 1)), spend = (20 + 6 * (trait + rnorm(n))) / 1000,
  yes = category(trait + rnorm(n), 0.3), visits = exp(0.3 * trait + 0.3 * rnorm(n)) / 1000,
  rating = category(-trait + rnorm(n), c(-0.5, 0.7)))
write_data("mixed", mixed)
scales <- c("agree", "yes", "rating")
reference("mixed", mixed, scales)
mixed_holes <- mixed
for (j in seq_along(mixed_holes)) mixed_holes[runif(n) < 0.1, j] <- NA
write_data("mixed_holes", mixed_holes)
reference("mixed_holes_pairwise", mixed_holes, scales, "pairwise")

# 5. Yes/no items of 40 respondents with an empty cell in some 2 x 2 tables.
small <- trait[1:40]
binary <- data.frame(a = category(small + 0.3 * rnorm(40), 0.9), b = category(small + 0.3 * rnorm(40), -0.6),
                     c = category(-small + 0.3 * rnorm(40), 0.8), d = category(small + rnorm(40), 0.2))
write_data("binary", binary)
reference("binary", binary, names(binary))

# 6. Strongly correlated items and three respondents who contradict them.
contradicted <- data.frame(p = category(trait + 0.1 * rnorm(n), c(-1.6, -0.5, 0.5, 1.6)),
                           q = category(trait + 0.1 * rnorm(n), c(-1.6, -0.5, 0.5, 1.6)),
                           r = category(trait + rnorm(n), c(-1, 0, 1)))
contradicted[1:3, "p"] <- c(1L, 5L, 1L)
contradicted[1:3, "q"] <- c(5L, 1L, 4L)
write_data("contradicted", contradicted)
reference("contradicted", contradicted, names(contradicted))

# 7. Nobody chose category 3 of the first item.
gap <- data.frame(p = c(1L, 2L, 4L, 5L)[ordinal$four], q = ordinal$five, r = ordinal$two)
write_data("gap", gap)
reference("gap", gap, names(gap))

# 8. The mobile survey: statistics and the diagonal of gamma (the full one has 372 x 372 numbers).
survey <- commandArgs(trailingOnly = TRUE)
if (length(survey)) {
  mobi5 <- read.csv(survey)
  fit <- lavCor(mobi5, ordered = names(mobi5), output = "fit", estimator = "DWLS", se = "robust.sem")
  statistic <- lavInspect(fit, "wls.obs")
  out <- cbind(as.numeric(statistic), diag(lavTech(fit, "gamma")[[1]]))
  write.table(data.frame(names(statistic), format(out, digits = 12, scientific = TRUE, trim = TRUE)),
              "mobi5.lavaan.csv", sep = ",", quote = FALSE, row.names = FALSE,
              col.names = c("label", "statistic", "gamma"))
}
