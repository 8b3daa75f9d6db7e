"""Every page of the console, one file a page; `PAGE_ROUTERS` lists them."""

from api.console import assets
from api.console.routes import (
    account,
    activation,
    exceptions,
    find,
    home,
    people,
    queue,
    queue_bands,
    queue_sheet,
    record,
    record_operations,
    record_values,
    record_why,
    records,
    review,
    review_answers,
    sign_in,
)

PAGE_ROUTERS = (
    assets.router,
    sign_in.router,
    home.router,
    review.router,
    review_answers.router,
    queue.router,
    queue_bands.router,
    queue_sheet.router,
    find.router,
    records.router,
    record.router,
    record_operations.router,
    record_values.router,
    record_why.router,
    exceptions.router,
    activation.router,
    people.router,
    account.router,
)
