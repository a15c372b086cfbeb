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
PRODUCTS = Place("pricing", "products", "Product", owned=True)
PRICE_SCHEDULES = Place("pricing", "price_schedules", "PriceSchedule", owned=True)
SPECS = Place("pricing", "specs", "Spec", owned=True)
CATALOGS = Place("pricing", "catalogs", "Catalog", owned=True)
CATEGORIES = Place("pricing", "categories", "Category")
VARIANTS = Place("pricing", "variants", "Variant")
PROMOTIONS = Place("pricing", "promotions", "Promotion", owned=True)
APPROVAL_RULES = Place("checkout", "approval_rules", "ApprovalRule")
COST_CENTERS = Place("accounts", "cost_centers", "CostCenter")
CREDIT_CARDS = Place("accounts", "credit_cards", "CreditCard")
SPENDING_ACCOUNTS = Place("accounts", "spending_accounts", "SpendingAccount")
