"""The command line: each command reads its options, calls one service and prints.

main registers the commands, groups has those that are read when asked for; options are the parameters that several
share; session opens the hub; output prints; exits says what the exit codes mean.
"""
