"""What the hub knows about each entity type, declared in YAML.

model        the values: entity types, attributes, validations, code lists, reasons
declaration  the shape of a YAML file, and the JSON Schema of it for editors
loader       reads the files and reports every fault at once, by file and line
document     YAML without aliases, tags and duplicate keys, with the line of every key
crosscheck   what a shape cannot say: every name used must be declared
service      the entity types of this installation
mapping      a delivered row to attribute values, and those to a row for matching
values       reads one value by its semantic type
validation   the rules a record must keep
code_lists   translation of each source's codes
"""
