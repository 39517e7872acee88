"""Orders as one table with named roles, on DuckDB or Spark (chapter 2); what chapters 1, 3 and 4 compute with.

`orders` holds `Transactions`, `cleaning` makes raw lines fit for use; `sources` turns a frame, file or relation into an
Ibis table; `fields` says what one cell means; `engines` runs an expression and fetches its result. Nothing here is
computed in pandas: every step is one Ibis expression, so that the same code gives the same table in process and on a
cluster.
"""

from crmlab.transactions.cleaning import CleaningReport, clean
from crmlab.transactions.engines import to_frame
from crmlab.transactions.orders import Transactions

__all__ = ["CleaningReport", "Transactions", "clean", "to_frame"]
