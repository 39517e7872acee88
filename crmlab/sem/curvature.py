"""Second derivatives of implied moments, as far as a discrepancy asks for them (chapter on the index by SEM).

The Hessian of a discrepancy is the information in the moments, carried over by their first derivatives, and the second
derivatives of the moments weighted by the discrepancy's gradient in them. The latter are those of φ = tr(M Σ) + h'μ
with M and h held constant. With B = (I − A)⁻¹, F its rows for the observed variables and dB = B dA B,

    Q = F'M F,    R = Q S B',    C = B S B',    k = F'h,    ν = B m

a cell of A moves φ by 2 R_ij + k_i ν_j, one of S by 2 Q_ij (half of it on the diagonal), one of m by k_i, and

    ∂²φ/∂A_ij ∂A_kl = 2 (B_li R_kj + B_jk R_il + Q_ik C_jl) + B_li k_k ν_j + B_jk k_i ν_l,
    ∂²φ/∂S_ij ∂A_kl = 2 (B_li Q_kj + B_lj Q_ki),    ∂²φ/∂m_i ∂A_kl = B_li k_k;

all others are 0. Neudecker & Satorra (1991) have them for structures of another form.

References
----------
McArdle, J. J. & McDonald, R. P. (1984). Some algebraic properties of the reticular action model for moment structures.
British Journal of Mathematical and Statistical Psychology 37, 234–251.
Neudecker, H. & Satorra, A. (1991). Linear structural relations: Gradient and Hessian of the fitting function.
Statistics & Probability Letters 11, 57–61.
"""

from __future__ import annotations

import numpy as np

from .matrices import Structure
from .moments import Array


def curvature(structure: Structure, theta: Array, group: int, by_cov: Array, by_mean: Array) -> Array:
    """Hessian by theta of tr(M Σ) + h'μ in one group, (q, q).

    Parameters
    ----------
    structure : Structure
    theta : array (q,)
    group : int
    by_cov : array (p, p)
        M, symmetric.
    by_mean : array (p,)
        h.

    Examples
    --------
    >>> from .matrices import Defaults, structure
    >>> from .syntax import Model
    >>> one = structure(Model("A =~ x + a*y; y ~~ 1*y; x ~~ 1*x; A ~~ v*A"), Defaults())
    >>> one.names, curvature(one, np.array([3.0, 0.5]), 0, np.diag([0.0, 1.0]), np.zeros(2))  # φ = v a² + 1
    (['a', 'v'], array([[1., 6.],
           [6., 0.]]))
    """
    a, s, m = structure.matrices(theta, group)
    b = np.linalg.inv(np.eye(len(a)) - a)
    f = b[: len(structure.observed)]
    (i, j, s_i, s_j, m_i), gather = structure.free_cells[group]
    q, k = f.T @ by_cov @ f, f.T @ by_mean
    r, c, level = q @ s @ b.T, b @ s @ b.T, b @ m

    of_a = b[np.ix_(j, i)] * (2 * r[np.ix_(i, j)] + np.outer(k[i], level[j]))
    of_a = of_a + of_a.T + 2 * q[np.ix_(i, i)] * c[np.ix_(j, j)]
    of_s = b[np.ix_(j, s_i)].T * q[np.ix_(s_j, i)] + b[np.ix_(j, s_j)].T * q[np.ix_(s_i, i)]
    of_m = b[np.ix_(j, m_i)].T * k[i]
    rest = np.vstack([np.where(s_i == s_j, 1.0, 2.0)[:, None] * of_s, of_m])
    cells = np.block([[of_a, rest.T], [rest, np.zeros((len(rest), len(rest)))]])
    return gather @ cells @ gather.T
