//! What each managed identifier finds, and what it does not: a line a case.

use groundwatch_data_protection::{Custom, Detectors, Identifier, mask};

fn masked(identifier: &str, text: &str) -> String {
    let detectors = Detectors::new(&[Identifier::Managed(identifier.to_owned())]);
    mask(text, &detectors.find(text))
}

/// `marked` has the data between `«` and `»`; all of it, and nothing else, is masked.
fn check(identifier: &str, marked: &str) {
    let text: String = marked.chars().filter(|character| !"«»".contains(*character)).collect();
    let mut expected = String::new();
    let mut inside = false;
    for character in marked.chars() {
        match character {
            '«' => inside = true,
            '»' => inside = false,
            other => expected.push(if inside { '*' } else { other }),
        }
    }
    assert_eq!(masked(identifier, &text), expected, "{identifier}");
}

#[test]
fn credentials() {
    check("AwsSecretKey", "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»");
    check("AwsSecretKey", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY alone says nothing");
    check("AwsSecretKey", "secret key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    check(
        "OpenSshPrivateKey",
        "k «-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----» end",
    );
    check("PkcsPrivateKey", "«-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----»");
    check("PkcsPrivateKey", "cut short: «-----BEGIN PRIVATE KEY-----\nabc»");
    check("PkcsPrivateKey", "-----BEGIN PUBLIC KEY-----");
    check("PgpPrivateKey", "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----»");
    check("PuttyPrivateKey", "«PuTTY-User-Key-File-2: ssh-rsa\nx\nPrivate-MAC: 0a1b»\n");
}

#[test]
fn devices_and_addresses() {
    check("IpAddress", "from «192.0.2.1» to «10.0.0.255»");
    check("IpAddress", "256.1.1.1 and 1.2.3");
    check("IpAddress", "«2001:db8::8a2e:370:7334» and «::1» and «fe80::1»");
    check("IpAddress", "at 12:34:56");
    check("EmailAddress", "user «jane.doe+x@mail.example.com» logged in");
    check("EmailAddress", "{\"email\":\"«a@b.co»\"}");
    check("EmailAddress", "a@b and @example.com");
    check("LatLong", "location «52.5200, 13.4050»");
    check("LatLong", "52.5200, 13.4050 without a word");
}

#[test]
fn financial() {
    check("CreditCardNumber", "credit card «4539 1488 0343 6467»");
    check("CreditCardNumber", "card_number=«4539148803436467»");
    check("CreditCardNumber", "cardNumber: «4539-1488-0343-6467»");
    check("CreditCardNumber", "4539148803436467 alone says nothing");
    check("CreditCardNumber", "card 4539148803436468 has a wrong check digit");
    check("CreditCardNumber", "card 4111111111111111 is for tests");
    check("CreditCardNumber", "card and then more than thirty characters: 4539148803436467");
    check("CreditCardNumber", "«4539148803436467» is her VISA");
    check("CreditCardNumber", "company 4539148803436467 (whole words only: Pandora)");
    check("CreditCardExpiration", "expiry «12/27»");
    check("CreditCardSecurityCode", "CVV: «123»");
    check("CreditCardSecurityCode", "code 123");
    check("BankAccountNumber-DE", "IBAN «DE89 3704 0044 0532 0130 00»");
    check("BankAccountNumber-DE", "IBAN DE88 3704 0044 0532 0130 00");
    check("BankAccountNumber-GB", "bank account «GB29NWBK60161331926819»");
    check("BankAccountNumber-FR", "iban: «FR1420041010050500013M02606»");
    check("BankAccountNumber-ES", "iban: «ES9121000418450200051332»");
    check("BankAccountNumber-IT", "iban: «IT60X0542811101000000123456»");
    check("BankAccountNumber-US", "checking account «123456789»");
}

#[test]
fn personal() {
    check("Ssn-US", "SSN «078-05-1120»");
    check("Ssn-US", "social_security: «123456788»");
    check("Ssn-US", "ssn 000-12-3456 and 078-05-1120x");
    check("Ssn-US", "078-05-1120 alone");
    check("Ssn-ES", "número de la seguridad social «281234567840»");
    check("PhoneNumber-US", "call «+1 202-555-0173» now");
    check("PhoneNumber-US", "phone: «(202) 555-0173»");
    check("PhoneNumber-US", "202-555-0173 without a word");
    check("PhoneNumber-GB", "«+44 20 7946 0958»");
    check("PhoneNumber-DE", "tel «030 123456»");
    check("PhoneNumber-FR", "«+33 6 12 34 56 78»");
    check("PhoneNumber-ES", "mobile «612 345 678»");
    check("PhoneNumber-IT", "«+39 312 3456789»");
    check("PhoneNumber-BR", "celular «(11) 91234-5678»");
    check("DateOfBirth", "born, dob «1990-12-31»");
    check("DateOfBirth", "date of birth: «31/12/1990»");
    check("DateOfBirth", "birthday «December 31, 1990»");
    check("DateOfBirth", "on 1990-12-31");
    check("PassportNumber-US", "passport «123456789»");
    check("PassportNumber-DE", "Reisepass «C01X00T47»");
    check("PassportNumber-FR", "passeport «12AB34567»");
    check("PassportNumber-IT", "passaporto «YA1234567»");
    check("PassportNumber-ES", "pasaporte «AAA123456»");
    check("PassportNumber-CA", "passport «AB123456»");
    check("DriversLicense-US", "driver's license «D1234567»");
    check("DriversLicense-GB", "driving licence «MORGA657054SM9IJ»");
    check("DriversLicense-FR", "permis de conduire «123456789012»");
    check("DriversLicense-IT", "patente di guida «AB1234567C»");
    check("NieNumber-ES", "NIE «X1234567L»");
    check("NifNumber-ES", "NIF «12345678Z»");
    check("NifNumber-ES", "NIF 12345678A");
    check("NationalIdentificationNumber-IT", "codice fiscale «RSSMRA85T10A562S»");
    check("InseeCode-FR", "insee «2 55 08 14 168 025 38»");
    check("CpfCode-BR", "CPF «529.982.247-25»");
    check("Cnpj-BR", "CNPJ «11.222.333/0001-81»");
    check("CepCode-BR", "cep «01310-100»");
    check("RgNumber-BR", "RG «12.345.678-9»");
    check("TaxId-DE", "Steuernummer «86095742719»");
    check("TaxId-GB", "UTR «12345 67890»");
    check("ZipCode-US", "zip code «12345-6789»");
    check("PostalCode-CA", "postal code «K1A 0B1»");
    check("SocialInsuranceNumber-CA", "SIN «130 692 544»");
    check("ElectoralRollNumber-GB", "electoral number «AB123»");
    check("VehicleIdentificationNumber", "VIN «1M8GDM9AXKP042788»");
    check("IndividualTaxIdentificationNumber-US", "ITIN «912-70-1234»");
}

#[test]
fn health() {
    check("DrugEnforcementAgencyNumber-US", "DEA number «AB1234563»");
    check("HealthInsuranceClaimNumber-US", "HICN «123-45-6789-A»");
    check("HealthInsuranceCardNumber-EU", "EHIC «80276001120000000000»");
    check("MedicareBeneficiaryNumber-US", "MBI «1EG4-TE5-MK73»");
    check("NationalDrugCode-US", "NDC «0777-3105-02»");
    check("NationalInsuranceNumber-GB", "national insurance number «AB 12 34 56 C»");
    check("NationalProviderId-US", "NPI «1234567893»");
    check("NhsNumber-GB", "NHS «943 476 5919»");
    check("NhsNumber-GB", "NHS 943 476 5918");
    check("PersonalHealthNumber-CA", "PHN «9012 345 678»");
    check("HealthInsuranceNumber-FR", "carte vitale «2 55 08 14 168 025 38»");
}

#[test]
fn keywords_have_variations() {
    for keyword in ["credit card", "CREDIT_CARD", "credit-card", "creditCard"] {
        check("CreditCardNumber", &format!("{keyword}: «4539148803436467»"));
    }
}

#[test]
fn characters_are_masked_one_by_one() {
    let custom = Identifier::Custom(Custom { name: "Umlauts".into(), regex: "[äöü]+".into() });
    let detectors = Detectors::new([&custom, &Identifier::Managed("EmailAddress".into())]);
    let text = "größe öä a@b.co";
    let findings = detectors.find(text);
    assert_eq!(mask(text, &findings), "gr*ße ** ******");
    let named: Vec<_> = findings.iter().map(|finding| (finding.identifier, finding.range.clone())).collect();
    assert_eq!(named, [("Umlauts", 2..4), ("Umlauts", 8..12), ("EmailAddress", 13..19)]);
}

#[test]
fn what_is_no_longer_understood_takes_everything() {
    let unknown = Identifier::Managed("Forgotten".into());
    let detectors = Detectors::new([&unknown]);
    assert_eq!(mask("all of it", &detectors.find("all of it")), "*********");
}
