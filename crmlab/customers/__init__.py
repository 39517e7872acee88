"""Who the customers are: one person under several ids, labels, activity, and what may be kept of them (chapter 2).

`linkage` finds ids that are one person, `taxonomy` sorts customers in the course's five ways (C1), `activity` measures
how alive a customer is (C3), `privacy` replaces ids and says which fields to keep.
"""

from crmlab.customers.activity import activity_index
from crmlab.customers.linkage import CustomerLinks, link_customers
from crmlab.customers.privacy import minimise, pseudonymise, what_to_keep
from crmlab.customers.taxonomy import TAXONOMIES, CustomerLabels, label

__all__ = [
    "TAXONOMIES",
    "CustomerLabels",
    "CustomerLinks",
    "activity_index",
    "label",
    "link_customers",
    "minimise",
    "pseudonymise",
    "what_to_keep",
]
