"""Matching applied to stored records: four of the eight words, from blocking keys to a plan.

The functions of `matching` decide; this room finds their candidates in the online index, keeps the edges, and turns the
law of clusters into an `IdentityPlan`. Everything it stores can be derived again from facts, decisions and the model.
"""
