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
# # Weights study 指标权重研究
#
# A questionnaire and its answers go in, and if there are any the judgements of several judges. Out come the weights by
# every method, the index under each, and what depends on them. `crmlab weights` runs this notebook with your files and
# keeps the executed copy beside the report; or change the next cell and run all cells here. Paths start from the folder
# the notebook is run in.

# %% tags=["parameters"]
questionnaire: str = "course_csi"  # path of a YAML file, or a shipped design such as course_csi
data: str = "survey"  # path of a CSV, XLSX or SAV file, or a data set of the course such as survey
judgements: str = ""  # path of a YAML file or workbook with judgements; empty for none
sheet: str = ""  # worksheet of a workbook; empty for the first
encoding: str = ""  # encoding of a CSV; empty to find out
format: str = ""  # whose export: plain, spreadsheet, wenjuanxing, qualtrics, limesurvey or spss; empty to find out
faults: str = "error"  # one of error, missing: stop at answers that cannot be read, or take them for missing
construct: str = ""  # weigh the items of this construct only; empty for the whole indicator tree
only: str = ""  # keep one group only: its column, an equals sign, its value; empty for all
by: str = ""  # column of groups to rank; empty for none
weighting: str = ""  # the method put first, such as CRITIC; empty for the combined one, or equal weights
change: float = 0.2  # share by which each weight is moved in the sensitivity analysis
draws: int = 1000  # random weightings in the sensitivity analysis
seed: int = 0  # the same seed gives the same numbers
language: str = "en"  # one of en, zh: language of figures and report
out: str = "weights-study"  # folder for the results

# %%
from crmlab import Questionnaire
from crmlab.studies import read_answers, shown_method, write_weights_study
from crmlab.teaching import figure, show
from crmlab.weighting import compare, read_judgements

# %% [markdown]
# ## Design and answers 问卷与数据
#
# Every answer that was not read as found is listed with its row in the file.

# %%
design = Questionnaire.read(questionnaire)
responses = read_answers(data, design, sheet=sheet, encoding=encoding, format=format, only=only)
print("\n".join(responses.problems) or "Nothing was found that needs a word.")

# %% [markdown]
# ## Judgements 判断
#
# Consistency of every judge, and agreement among them.

# %%
judged = read_judgements(judgements, design) if judgements else None
show(judged.quality() if judged else "No judgements: objective methods and the model only.")

# %% [markdown]
# ## Weights 权重
#
# A weight is a share of the index; each column sums to one.

# %%
study = compare(design, responses, judgements=judged, by=by or None, construct=construct or None, faults=faults)
figure(study.plot("weights", language=language))
show(study.weights)

# %%
print("\n".join(study.problems) or "A careful analyst would not object.")

# %% [markdown]
# ## The index under each 各权重下的指数
#
# The same answers, weighed in different ways.

# %%
figure(study.plot("index", language=language))
show(study.index, digits=2)

# %% [markdown]
# ## Groups 分组
#
# Whether the order of groups depends on the weights.

# %%
if by:
    figure(study.plot("groups", language=language))
show(study.ranks() if by else "No groups were asked for.")

# %% [markdown]
# ## The four levels 四级权重
#
# From the index down to the questions, under the weighting put first.

# %%
method = shown_method(study, weighting)
figure(study.plot("levels", language=language, method=method))

# %% [markdown]
# ## Sensitivity 敏感性
#
# One weight lower or higher, and all at random.

# %%
shaken = study.sensitivity(method, change=change, draws=draws, seed=seed)
figure(shaken.plot(language=language))
print("\n".join(shaken.problems) or "The order of the groups does not hang on a single weight.")

# %% [markdown]
# ## Report, workbook, numbers 报告

# %%
write_weights_study(study, shaken, method, out, language)
