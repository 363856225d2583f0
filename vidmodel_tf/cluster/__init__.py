"""Tasks on many machines, by Ray: the same functions as in worker processes, with the same results and errors."""
