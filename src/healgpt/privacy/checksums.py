"""Check digits of Chinese identity numbers and bank cards.

Sources: GB 11643-1999 (citizen identification number, ISO 7064 MOD 11-2) and ISO/IEC 7812-1 (Luhn).
"""

import datetime

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"

# first two digits of GB/T 2260 codes: provinces, Taiwan 71/83, Hong Kong 81, Macao 82
_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
    ]
) | frozenset(["50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"])
# issuer prefixes: UnionPay, Visa, Mastercard (old and 2-series), JCB, Amex, and domestic debit ranges before UnionPay
_ISSUERS = ("62", "4", "51", "52", "53", "54", "55", "22", "23", "24", "25", "26", "27", "35", "34", "37", "60", "95")


def is_identity_number(number: str) -> bool:
    """Tell whether 18 characters (17 digits and a digit or X) are a well-formed citizen number.

    Region, birth date and check digit must all hold; chance agreement is about one in 50,000.
    """
    if len(number) != 18 or not _is_digits(number[:17]) or number[:2] not in _PROVINCES:
        return False
    if not _is_date(number[6:10], number[10:12], number[12:14]):
        return False
    return identity_check_digit(number[:17]) == number[17].upper()


def identity_check_digit(first_17: str) -> str:
    """Return the MOD 11-2 check character for the first 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True))
    return _CHECK_DIGITS[total % 11]


def is_old_identity_number(number: str) -> bool:
    """Tell whether 15 digits have the shape of a first-generation number, which has no check digit."""
    return (
        len(number) == 15
        and _is_digits(number)
        and number[:2] in _PROVINCES
        and _is_date("19" + number[6:8], number[8:10], number[10:12])
    )


def is_bank_card(number: str) -> bool:
    """Tell whether 15 to 19 digits carry a known issuer prefix and a right Luhn digit (15 only for Amex)."""
    if not _is_digits(number) or not number.startswith(_ISSUERS):
        return False
    if len(number) == 15:
        return number[:2] in ("34", "37") and passes_luhn(number)
    return 16 <= len(number) <= 19 and passes_luhn(number)


def passes_luhn(number: str) -> bool:
    """Tell whether the digits satisfy the Luhn sum; all zeros do not count."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total > 0 and total % 10 == 0


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_date(year: str, month: str, day: str) -> bool:
    if not "1880" <= year <= "2099":
        return False
    try:
        datetime.date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
