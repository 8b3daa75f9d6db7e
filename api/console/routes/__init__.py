"""Every page of the console, one file a page; `PAGE_ROUTERS` lists them."""

from api.console import assets
from api.console.routes import account, home, sign_in

PAGE_ROUTERS = (assets.router, sign_in.router, home.router, account.router)
