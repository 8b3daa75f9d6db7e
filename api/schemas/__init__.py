"""The shapes of requests and replies, one file a room.

Requests refuse fields that they do not know.
"""
