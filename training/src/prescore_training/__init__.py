"""Simulated lenders, one approval model per bank, exported to ONNX.

Why simulated: no public data set of applications with real lenders' decisions carries a usable signal,
and a simulation has what no real data can have: the true approval probability, so that a model stands
beside the best possible one.

Known limit: good figures here say that the method works, and nothing about a real bank.
"""
