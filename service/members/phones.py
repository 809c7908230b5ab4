"""Phone numbers, which people are known by."""

from service.errors import FieldProblem, Malformed

LONGEST_PHONE = 32


class PhoneNotValid(Malformed):
    english = "This is not a valid phone number. Write it like 0812-3456-7890."
    indonesian = "Nomor telepon tidak valid. Tulis seperti 0812-3456-7890."


def normal_phone(text: str) -> str:
    """The number as E.164; Indonesian ones may come as 0812…, 62812… or 812….

    Raises PhoneNotValid.
    """
    # Only now: no start needs to wait for it.
    import phonenumbers  # noqa: PLC0415

    try:
        if len(text) > LONGEST_PHONE:
            raise PhoneNotValid(_AT_PHONE)
        number = phonenumbers.parse(text, "ID")
    except phonenumbers.NumberParseException:
        raise PhoneNotValid(_AT_PHONE) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneNotValid(_AT_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_AT_PHONE = FieldProblem("/phone", PhoneNotValid.english, PhoneNotValid.indonesian)
