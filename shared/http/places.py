"""Where the kinds of resources stand that others name: one table.

Reading across services is allowed, for looking up whether a named thing is there; writing is its
owner's alone.
"""

from shared.http.kinds import Place

BUYERS = Place("accounts", "buyers", "Buyer")
SUPPLIERS = Place("accounts", "suppliers", "Supplier")
BUYER_USERS = Place("accounts", "users", "User", "buyers/")
SUPPLIER_USERS = Place("accounts", "users", "User", "suppliers/")
ADMIN_USERS = Place("accounts", "users", "User")
USER_GROUPS = Place("accounts", "user_groups", "UserGroup", "buyers/")
SUPPLIER_USER_GROUPS = Place("accounts", "user_groups", "UserGroup", "suppliers/")
ADMIN_USER_GROUPS = Place("accounts", "user_groups", "UserGroup")
ADDRESSES = Place("accounts", "addresses", "Address", "buyers/")
SUPPLIER_ADDRESSES = Place("accounts", "addresses", "Address", "suppliers/")
ADMIN_ADDRESSES = Place("accounts", "addresses", "Address")
API_CLIENTS = Place("accounts", "api_clients", "ApiClient")
SECURITY_PROFILES = Place("accounts", "security_profiles", "SecurityProfile")
LOCALES = Place("accounts", "locales", "Locale")
PRODUCTS = Place("pricing", "products", "Product")
PRICE_SCHEDULES = Place("pricing", "price_schedules", "PriceSchedule")
SPECS = Place("pricing", "specs", "Spec")
CATALOGS = Place("pricing", "catalogs", "Catalog")
CATEGORIES = Place("pricing", "categories", "Category")
VARIANTS = Place("pricing", "variants", "Variant")
PROMOTIONS = Place("pricing", "promotions", "Promotion")
