"""Benchmarks: what Interlude costs against the plainest way to do the same."""
