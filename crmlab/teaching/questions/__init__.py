"""The questions of the exercises, one module a chapter; each defines ``QUESTIONS``, in the order they are asked."""
