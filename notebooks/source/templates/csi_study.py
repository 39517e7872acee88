# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Satisfaction study 顾客满意度研究
#
# Two files go in: a questionnaire, which is the whole design of the survey, and its answers. Out come a report, a
# workbook and the key numbers. `crmlab csi` runs this notebook with your files and keeps the executed copy beside the
# report; or change the next cell and run all cells here. Paths start from the folder the notebook is run in.

# %% tags=["parameters"]
questionnaire: str = "ecsi"  # path of a YAML file, or a shipped design such as ecsi
data: str = "mobi"  # path of a CSV, XLSX or SAV file, or a data set of the course such as mobi
sheet: str = ""  # worksheet of a workbook; empty for the first
encoding: str = ""  # encoding of a CSV; empty to find out
format: str = ""  # whose export: plain, spreadsheet, wenjuanxing, qualtrics, limesurvey or spss; empty to find out
faults: str = "error"  # one of error, missing: stop at answers that cannot be read, or take them for missing
engine: str = "pls"  # one of pls, cbsem, semopy: how the model is estimated
scheme: str = "path"  # one of path, centroid, factorial: inner weights of PLS
consistent: bool = False  # PLS: correct paths and loadings for measurement error
estimator: str = ""  # CB-SEM: ML, MLR, ULS or WLSMV; empty for ML
missing: str = ""  # mean, listwise, fiml or pairwise; empty for what the engine does usually
only: str = ""  # keep one group only: its column, an equals sign, its value; empty for all
by: str = ""  # column of groups to compare; empty for none
bootstrap: int = 0  # resamples behind the intervals; 0 for the engine's usual number
seed: int = 0  # the same seed gives the same numbers
language: str = "en"  # one of en, zh: language of figures and report
out: str = "csi-study"  # folder for the results

# %%
from crmlab import Questionnaire, csi
from crmlab.studies import read_answers, write_csi_study
from crmlab.teaching import figure, show

# %% [markdown]
# ## The design 问卷设计
#
# Index, constructs, facets and items, and what a careful reader of the questionnaire would change.

# %%
design = Questionnaire.read(questionnaire)
show(design.constructs)
print("\n".join(design.lint()) or "Nothing to change.")

# %% [markdown]
# ## The answers 数据
#
# Every answer that was not read as found is listed with its row in the file.

# %%
responses = read_answers(data, design, sheet=sheet, encoding=encoding, format=format, only=only)
print("\n".join(responses.problems) or "Nothing was found that needs a word.")
show(responses.summary(), digits=2)

# %% [markdown]
# ## The index 满意度指数
#
# The model is estimated once on all respondents, and again on every bootstrap resample; the middle of the resampled
# results is the interval.

# %%
study = csi.estimate(
    design, responses, engine=engine, scheme=scheme, consistent=consistent, estimator=estimator or None,
    missing=missing or None, by=by or None, bootstrap=bootstrap or None, seed=seed, faults=faults,
)  # fmt: skip
print(study.headline)

# %%
print("\n".join(study.problems) or "A careful analyst would not object.")

# %% [markdown]
# ## Constructs 构念
#
# All on the same scale from 0 to 100. Differences smaller than the intervals are no ranking.

# %%
figure(study.plot("constructs", language=language))
show(study.index, digits=1)

# %% [markdown]
# ## Paths 路径
#
# Which constructs go together with which, the other causes being equal. The arrows are the questionnaire's assumptions.

# %%
figure(study.plot("paths", language=language))
show(study.effects)

# %% [markdown]
# ## Priorities 优先改进
#
# What matters much for the index and stands low comes first.

# %%
if len(study.priority_map()):
    figure(study.plot("priority", language=language))
show(study.priority_map(), digits=2)

# %% [markdown]
# ## Groups 分组
#
# All groups are measured with the same weights. p-values are corrected for the number of pairs (Holm).

# %%
if by:
    figure(study.plot("groups", language=language))
    show(study.group_differences(), digits=3)
show(study.by_group, digits=1)

# %% [markdown]
# ## Reliability 信度
#
# How far the items of a construct agree with each other, and whether constructs can be told apart (HTMT below 0.90).

# %%
show(study.reliability, digits=2)
show(study.htmt, digits=2)

# %% [markdown]
# ## Report, workbook, numbers 报告

# %%
write_csi_study(study, responses, out, language)
