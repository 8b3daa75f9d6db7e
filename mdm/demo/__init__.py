"""A made-up mid-size firm whose records, traps and truth are known, generated from a seed.

words and tax_numbers are the raw material; companies and engagements say what is true; landscape and delivery say which
system knows what; traps spoils records as life does; systems and formats dress them as each vendor would; firm puts it
together; files writes the exports. fakes/ holds two systems that run: an ERP and a CRM.
"""
