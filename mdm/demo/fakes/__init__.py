"""A fake ERP and a fake CRM: stateful HTTP servers that stand for the vendors behind one record API.

model says what a record and a rule are; erp and crm are the two characters; checks holds fields against the rules of
an object; records is the state; limits counts what one key may ask; faults spoils requests by plan; journal remembers
every request; clock can be moved by hand; fake puts them together and lets users edit; answers turns a request into a
reply; wire carries both over real sockets, faults too. `docs/reference/record-api.md` is the protocol.
"""
