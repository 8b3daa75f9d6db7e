"""The command line: each command reads its options, calls one service and prints.

main registers the commands; options are the parameters that several share; session opens the hub; output prints; exits
says what the exit codes mean.
"""
