"""The hub: eight rooms of facts and decisions around one path, from a delivered record to a published golden one."""
