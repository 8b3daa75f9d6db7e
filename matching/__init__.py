"""The matching engine: columns in, columns out. It knows no database, no HTTP and nothing of the hub.

records and model hold what is compared and how; standardise → block → compare → score → decide → cluster are the
stages; online judges a few pairs, bulk runs all stages on a file, and both call the same stages. evaluate and explain
tell how well and why.
"""
