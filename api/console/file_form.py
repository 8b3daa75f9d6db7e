"""Forms that carry one file: multipart/form-data, read from bytes that are counted already, bounded in every part."""

from collections.abc import AsyncGenerator
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.console.visit import Form, SentFile
from api.errors import HttpRefusal

MEDIA_TYPE: Final = "multipart/form-data"
_FIELDS_MAX: Final = 40  # chosen: the filter of a queue has a dozen
_FIELD_BYTES_MAX: Final = 16_384  # chosen: a reason fits many times
_NAME_LENGTH_MAX: Final = 200  # of what a file calls itself; only ever shown


async def read_file_form(request: Request, raw: bytes) -> Form:
    """Take a form with at most one file apart; raises HttpRefusal."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield raw

    parser = MultiPartParser(
        request.headers, chunks(), max_files=1, max_fields=_FIELDS_MAX, max_part_size=_FIELD_BYTES_MAX
    )
    try:
        found = await parser.parse()
    except MultiPartException as error:
        raise HttpRefusal(
            400, "form_malformed", f"the form cannot be read: {error.message[:200]}", remedy="send one file"
        ) from error
    try:
        return await _checked(found)
    finally:
        await found.close()


async def _checked(found: FormData) -> Form:
    fields: dict[str, list[str]] = {}
    files: dict[str, SentFile] = {}
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            files[name] = SentFile((value.filename or "")[:_NAME_LENGTH_MAX], await value.read())
        elif "\0" in name or "\0" in value:
            raise HttpRefusal(422, "nul_character", "a text holds the character U+0000", remedy="remove it")
        else:
            fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return Form(fields, files)
