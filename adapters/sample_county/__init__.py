"""A county that does not exist, as files in its institutions' own formats.

The same seed gives the same bytes, and `expected_figures` says what ought to come of
them. It is no adapter: it makes what adapters read, and with `prepare_campaign` what people do record by record.
"""

from __future__ import annotations

from adapters.sample_county.campaign import Campaign, prepare_campaign
from adapters.sample_county.figures import expected_figures
from adapters.sample_county.files import BANK, make
from adapters.sample_county.guarantees import BANK_NAMES
from adapters.sample_county.lending import POSTAL_SAVINGS_BANK, RURAL_COMMERCIAL_BANK
from adapters.sample_county.money import answer_payments
from adapters.sample_county.population import REGION_NAMES
from adapters.sample_county.postal import POSTAL_BANK
from adapters.sample_county.ratings import write_rating_forms
from adapters.sample_county.written import DirtyRow, SampleFile

__all__ = [
    "ADAPTER_SETTINGS",
    "PRODUCTS",
    "REGION_NAMES",
    "Campaign",
    "DirtyRow",
    "SampleFile",
    "answer_payments",
    "expected_figures",
    "make",
    "prepare_campaign",
    "write_rating_forms",
]

ADAPTER_SETTINGS = {"guarantee_company": {"banks": BANK_NAMES}, "postal_savings_bank": {"signed_in_spare": True}}
"""What the office must know to read these files, as the tables `[adapters.…]` of huilian.toml."""
PRODUCTS = {
    BANK: dict.fromkeys(RURAL_COMMERCIAL_BANK.products, "anhui/household"),
    POSTAL_BANK: dict.fromkeys(POSTAL_SAVINGS_BANK.products, "xingan/household"),
}
"""What its banks mean by their product codes, as the tables `[products.…]` of huilian.toml."""
