//! The table of managed data identifiers, by category: the form of each, and the words that must be near.
//!
//! Source of names and keywords: CloudWatch Logs user guide, "Types of data that you can protect".

use crate::checks;
use crate::managed::{Managed, checked, near, or_alone, plain};

#[rustfmt::skip]
const CARD: &[&str] = &[
    "account number", "american express", "amex", "bank card", "card", "card number", "card num", "cc #", "ccn",
    "check card", "credit", "credit card#", "dankort", "debit", "debit card", "diners club", "discover", "electron",
    "japanese card bureau", "jcb", "mastercard", "mc", "pan", "payment account number", "payment card number", "pcn",
    "union pay", "visa",
];
#[rustfmt::skip]
const CARD_CODE: &[&str] = &[
    "card id", "card identification code", "card identification number", "card security code", "card validation code",
    "card validation number", "card verification data", "card verification value", "cvc", "cvc2", "cvv", "cvv2",
    "elo verification code",
];
const IBAN: &[&str] =
    &["account code", "account number", "bank account", "bank code", "iban", "sort code", "swift"];
const ROUTING: &[&str] = &[
    "bank account",
    "bank acct",
    "checking account",
    "checking acct",
    "deposit account",
    "deposit acct",
    "savings account",
    "savings acct",
    "chequing account",
    "chequing acct",
];
const PASSPORT: &[&str] = &[
    "passport",
    "passport number",
    "passport no",
    "passport #",
    "passportnumber",
    "passport id",
    "travel document",
];
const PASSPORT_DE: &[&str] = &[
    "ausstellungsdatum",
    "ausstellungsort",
    "geburtsdatum",
    "passport",
    "passports",
    "reisepass",
    "reisepassnr",
    "reisepassnummer",
];
const PASSPORT_ES: &[&str] = &[
    "españa pasaporte",
    "libreta pasaporte",
    "número pasaporte",
    "pasaporte",
    "passport",
    "passport book",
    "passport no",
    "passport number",
    "spain passport",
];
const PASSPORT_FR: &[&str] =
    &["numéro de passeport", "passeport", "passeport #", "passeport n °", "passeport non", "passport"];
const PASSPORT_IT: &[&str] = &[
    "italian passport number",
    "numéro passeport",
    "numero di passaporto",
    "passaporto",
    "passaporto numero",
    "passport number",
];
const LICENSE: &[&str] = &[
    "dl",
    "dl#",
    "dlno",
    "driver license",
    "drivers license",
    "driver's license",
    "driver licence",
    "drivers licence",
    "driver's licence",
    "driving licence",
    "driving license",
    "driving permit",
    "permit number",
    "license number",
    "licence number",
];
const LICENSE_DE: &[&str] =
    &["führerschein", "fuhrerschein", "führerscheinnummer", "fuhrerscheinnummer", "fuehrerschein"];
const LICENSE_ES: &[&str] = &[
    "carnet conducir",
    "el carnet de conducir",
    "licencia conducir",
    "licencia de manejo",
    "permiso conducción",
    "permiso de conducción",
    "permiso de conduccion",
    "dni",
    "número licencia conducir",
];
const LICENSE_FR: &[&str] = &["permis de conduire"];
const LICENSE_IT: &[&str] =
    &["patente di guida", "patente guida", "patente guida numero", "patente di guida numero"];
const PHONE: &[&str] = &[
    "cell",
    "contact",
    "fax",
    "fax number",
    "mobile",
    "phone",
    "phone number",
    "tel",
    "telephone",
    "telephone number",
];
const PHONE_BR: &[&str] =
    &["cel", "celular", "fone", "móvel", "número residencial", "numero residencial", "telefone", "phone"];
const TAX_GB: &[&str] = &[
    "paye",
    "tax id",
    "tax id no.",
    "tax id number",
    "tax identification",
    "tax identification#",
    "tax no.",
    "tax number",
    "tax reference",
    "tax#",
    "taxid#",
    "temporary reference number",
    "tin",
    "trn",
    "unique tax reference",
    "unique taxpayer reference",
    "utr",
];
const TAX_DE: &[&str] = &[
    "identifikationsnummer",
    "steuer id",
    "steueridentifikationsnummer",
    "steuernummer",
    "tax id",
    "tax identification number",
    "tax number",
];
const TAX_ES: &[&str] = &[
    "cif",
    "cif número",
    "cifnúmero#",
    "nie",
    "nif",
    "número de contribuyente",
    "número de identidad de extranjero",
    "número de identificación fiscal",
    "número de impuesto corporativo",
    "tax id",
    "tax number",
    "tax identification number",
];
const TAX_FR: &[&str] =
    &["numéro d'identification fiscale", "tax id", "tax identification number", "tax number", "tin", "tin#"];
const SSN_ES: &[&str] = &[
    "número de la seguridad social",
    "social security no.",
    "social security number",
    "socialsecurityno#",
    "ssn",
    "ssn#",
];

#[rustfmt::skip]
pub(crate) static IDENTIFIERS: [Managed; 72] = [
    // Credentials
    checked("AwsSecretKey", r"\b[A-Za-z0-9/+]{40}(?:\b|$)", checks::mixed,
        &["aws_secret_access_key", "credentials", "secret access key", "secret key", "set-awscredential", "secretaccesskey"]),
    plain("OpenSshPrivateKey", r"(?s)-----BEGIN OPENSSH PRIVATE KEY-----.*?(?:-----END OPENSSH PRIVATE KEY-----|\z)"),
    plain("PgpPrivateKey", r"(?s)-----BEGIN PGP PRIVATE KEY BLOCK-----.*?(?:-----END PGP PRIVATE KEY BLOCK-----|\z)"),
    plain("PkcsPrivateKey", r"(?s)-----BEGIN (?:RSA |DSA |EC |ENCRYPTED )?PRIVATE KEY-----.*?(?:-----END (?:RSA |DSA |EC |ENCRYPTED )?PRIVATE KEY-----|\z)"),
    plain("PuttyPrivateKey", r"(?s)PuTTY-User-Key-File-\d: .*?(?:Private-MAC: [0-9a-fA-F]+|\z)"),
    // Devices
    checked("IpAddress", r"(?:\b(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}\b|(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?|::(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}|[0-9A-Fa-f]{1,4}::(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4})",
        checks::ip_address, &[]),
    // Financial information
    checked("BankAccountNumber-DE", r"\bDE\d{2}(?: ?\d{4}){4} ?\d{2}\b", checks::iban, &["account code", "account number", "bank account", "bankleitzahl", "iban", "kontonummer", "kontocode", "kontoverbindung", "kundenkonto"]),
    checked("BankAccountNumber-ES", r"\bES\d{2}(?: ?\d{4}){5}\b", checks::iban, &["account code", "account number", "bank account", "código cuenta", "código cuenta bancaria", "cuenta cliente id", "cuenta bancaria", "cuenta número", "iban", "número cuenta cliente", "número cuenta bancaria cliente"]),
    checked("BankAccountNumber-FR", r"\bFR\d{2}(?: ?[0-9A-Z]{4}){5} ?[0-9A-Z]{3}\b", checks::iban, &["account code", "account number", "bank account", "clé rib", "code banque", "compte", "iban", "numéro de compte", "numéro compte bancaire", "rib"]),
    checked("BankAccountNumber-GB", r"\bGB\d{2} ?[A-Z]{4}(?: ?\d{4}){3} ?\d{2}\b", checks::iban, IBAN),
    checked("BankAccountNumber-IT", r"\bIT\d{2} ?[A-Z]\d{3}(?: ?\d{4}){2} ?[0-9A-Z]{3}(?: ?[0-9A-Z]{4}){2} ?[0-9A-Z]?\b", checks::iban, &["account code", "account number", "bank account", "codice bancario", "conto bancario", "conto numero", "iban", "numero di conto"]),
    near("BankAccountNumber-US", r"\b\d{8,17}\b", ROUTING),
    near("CreditCardExpiration", r"\b(?:0[1-9]|1[0-2])[/ -](?:20)?\d{2}\b", &["exp d", "exp m", "exp y", "expiration", "expiry"]),
    checked("CreditCardNumber", r"\b\d(?:[ -]?\d){12,18}\b", checks::credit_card, CARD),
    near("CreditCardSecurityCode", r"\b\d{3,4}\b", CARD_CODE),
    // Health
    checked("DrugEnforcementAgencyNumber-US", r"\b[A-Z][A-Z9]\d{7}\b", checks::dea, &["dea number", "dea registration"]),
    near("HealthInsuranceCardNumber-EU", r"\b80\d{3}[ -]?(?:\d[ -]?){10,15}\b", &[
        "assicurazione sanitaria numero", "carta assicurazione numero", "carte d’assurance maladie",
        "carte européenne d'assurance maladie", "ceam", "ehic", "ehic#", "finlandehicnumber#", "gesundheitskarte",
        "hälsokort", "health card", "health card number", "health insurance card", "health insurance number",
        "insurance card number", "krankenversicherungskarte", "krankenversicherungsnummer", "medical account number",
        "numero conto medico", "numéro d’assurance maladie", "tarjeta de salud", "tessera sanitaria", "terveyskortti",
        "versicherungsnummer",
    ]),
    near("HealthInsuranceClaimNumber-US", r"\b\d{3}-?\d{2}-?\d{4}-?[A-Z][A-Z0-9]?\b", &["health insurance claim number", "hic no", "hic no.", "hic number", "hic#", "hicn", "hicn#", "hicno#"]),
    checked("HealthInsuranceNumber-FR", r"\b[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}\b", checks::insee, &["carte vitale", "carte d'assuré social"]),
    near("MedicareBeneficiaryNumber-US", r"\b[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}\b", &["mbi", "medicare beneficiary"]),
    near("NationalDrugCode-US", r"\b(?:\d{4}-\d{4}-\d{2}|\d{5}-(?:\d{3}-\d{2}|\d{4}-\d{1,2}))\b", &["national drug code", "ndc"]),
    near("NationalInsuranceNumber-GB", r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", &["insurance no.", "insurance number", "insurance#", "national insurance number", "nationalinsurance#", "nationalinsurancenumber", "nin", "nino"]),
    checked("NationalProviderId-US", r"\b[12]\d{9}\b", checks::national_provider, &["hipaa", "n.p.i.", "national provider", "npi"]),
    checked("NhsNumber-GB", r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b", checks::nhs, &["national health service", "nhs"]),
    near("PersonalHealthNumber-CA", r"\b\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2})?\b", &["canada healthcare number", "msp number", "personal healthcare number", "phn", "soins de santé", "health card"]),
    // Personal information
    near("DateOfBirth", r"(?i)\b(?:\d{1,2}[/ -]\d{1,2}[/ -](?:19|20)?\d{2}|(?:19|20)\d{2}[/ -]\d{1,2}[/ -]\d{1,2}|(?:\d{1,2}[ -])?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]\d{1,2}(?:,? ?(?:19|20)\d{2})?|\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -](?:19|20)?\d{2})\b",
        &["dob", "date of birth", "birthdate", "birth date", "birthday", "b-day", "bday"]),
    near("CepCode-BR", r"\b\d{2}\.?\d{3}-?\d{3}\b", &["cep", "código de endereçamento postal", "codigo de endereçamento postal"]),
    checked("Cnpj-BR", r"\b\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}\b", checks::cnpj, &["cadastro nacional da pessoa jurídica", "cadastro nacional da pessoa juridica", "cnpj"]),
    checked("CpfCode-BR", r"\b\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b", checks::cpf, &["cadastro de pessoas fisicas", "cadastro de pessoas físicas", "cadastro de pessoa física", "cadastro de pessoa fisica", "cpf"]),
    near("DriversLicense-CA", r"\b(?:[A-Z]\d{4}[ -]?\d{5}[ -]?\d{5}|[A-Z]\d{12}|[A-Z]{5}\d{9}|\d{5,9})\b", LICENSE),
    near("DriversLicense-DE", r"\b[A-Z0-9]\d{2}[A-Z0-9]{6}\d[A-Z0-9]\b", LICENSE_DE),
    near("DriversLicense-ES", r"\b\d{8}[ -]?[A-Z]\b", LICENSE_ES),
    near("DriversLicense-FR", r"\b\d{12}\b", LICENSE_FR),
    near("DriversLicense-GB", r"\b[A-Z9]{5}\d[0156]\d[0-3]\d\d[A-Z9]{2}\d[A-Z]{2}\b", LICENSE),
    near("DriversLicense-IT", r"\b[A-Z]{2}\d{7}[A-Z]\b", LICENSE_IT),
    near("DriversLicense-US", r"\b(?:[A-Z]{1,2}[ -]?\d{3}[ -]?\d{3,4}(?:[ -]?\d{2,7})?|[A-Z]{1,2}\d{5,14}|\d{7,12})\b", LICENSE),
    near("ElectoralRollNumber-GB", r"\b[A-Z]{2}\d{1,4}\b", &["electoral #", "electoral number", "electoral roll #", "electoral roll no.", "electoral roll number", "electoralrollno"]),
    plain("EmailAddress", r"\b[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b"),
    near("IndividualTaxIdentificationNumber-US", r"\b9\d{2}[ -]?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[ -]?\d{4}\b", &["i.t.i.n.", "individual taxpayer identification number", "itin", "taxpayer id", "taxpayer identification number"]),
    checked("InseeCode-FR", r"\b[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}\b", checks::insee, &["assurance sociale", "carte nationale d’identité", "cni", "code sécurité sociale", "french social security number", "fssn#", "insee", "insurance number", "national id number", "numéro d'assurance", "numéro de sécurité sociale", "securité sociale", "social security number", "ssn"]),
    near("LatLong", r"[+-]?\b(?:[0-8]?\d|90)\.\d{3,}\s*[,;/ ]\s*[+-]?(?:1[0-7]\d|180|\d{1,2})\.\d{3,}\b", &["coordinate", "coordinates", "lat long", "latitude longitude", "latitude", "location", "position"]),
    near("NationalIdentificationNumber-DE", r"\b[CFGHJKLMNPRTVWXYZ0-9]{9}\d?\b", &["ausweis", "id number", "identification number", "identity number", "insurance number", "personal id", "personalausweis", "personalausweisnummer"]),
    checked("NationalIdentificationNumber-ES", r"\b[0-9XYZ]\d{7}-?[A-Z]\b", checks::nif_es, &["dni", "documento nacional de identidad", "national id"]),
    near("NationalIdentificationNumber-IT", r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", &["codice fiscal", "codice fiscale", "national id", "tax code"]),
    checked("NieNumber-ES", r"\b[XYZ]-?\d{7}-?[A-Z]\b", checks::nif_es, &["nie", "número de identidad de extranjero", "numero de identidad de extranjero"]),
    checked("NifNumber-ES", r"\b\d{8}-?[A-Z]\b", checks::nif_es, &["nif", "número de identificación fiscal", "numero de identificacion fiscal"]),
    near("PassportNumber-CA", r"\b[A-Z]{2}\d{6}\b", &["passeport", "passeport#", "passport", "passport#", "passportno", "passportno#"]),
    near("PassportNumber-DE", r"\b[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{7,8}\d?\b", PASSPORT_DE),
    near("PassportNumber-ES", r"\b[A-Z]{2,3}\d{6}[A-Z]?\b", PASSPORT_ES),
    near("PassportNumber-FR", r"\b\d{2}[A-Z]{2}\d{5}\b", PASSPORT_FR),
    near("PassportNumber-GB", r"\b\d{9}\b", PASSPORT),
    near("PassportNumber-IT", r"\b[A-Z]{2}\d{7}\b", PASSPORT_IT),
    near("PassportNumber-US", r"\b[A-Z0-9]\d{8}\b", PASSPORT),
    near("PermanentResidenceNumber-CA", r"\b(?:[A-Z]{2}\d{7,10}|RA\d{10})\b", &["carte résident permanent", "numéro carte résident permanent", "numéro résident permanent", "permanent resident card", "permanent resident card number", "permanent resident no", "permanent resident no.", "permanent resident number", "pr no", "pr no.", "pr non", "pr number", "résident permanent no.", "résident permanent non"]),
    or_alone("PhoneNumber-BR", r"\(?\b\d{2}\)?[ -]?9?\d{4}[ -]?\d{4}\b", PHONE_BR, r"\+55[ -]?\(?\d{2}\)?[ -]?9?\d{4}[ -]?\d{4}\b"),
    or_alone("PhoneNumber-DE", r"\(?\b0\d{2,4}\)?[ /-]?\d{3,9}(?:[ -]?\d{2,5})?\b", PHONE, r"\+49[ -]?\(?0?\)?\d{2,4}[ /-]?\d{3,9}(?:[ -]?\d{2,5})?\b"),
    or_alone("PhoneNumber-ES", r"\b[6-9]\d{2}[ -]?\d{3}[ -]?\d{3}\b", PHONE, r"\+34[ -]?[6-9]\d{2}[ -]?\d{3}[ -]?\d{3}\b"),
    or_alone("PhoneNumber-FR", r"\b0[1-9](?:[ .-]?\d{2}){4}\b", PHONE, r"\+33[ .-]?\(?0?\)?[1-9](?:[ .-]?\d{2}){4}\b"),
    or_alone("PhoneNumber-GB", r"\(?\b0\d{2,4}\)?[ -]?\d{3,4}[ -]?\d{3,4}\b", PHONE, r"\+44[ -]?\(?0?\)?\d{2,4}[ -]?\d{3,4}[ -]?\d{3,4}\b"),
    or_alone("PhoneNumber-IT", r"\b(?:0\d{1,3}[ -]?\d{5,8}|3\d{2}[ -]?\d{6,7})\b", PHONE, r"\+39[ -]?(?:0\d{1,3}[ -]?\d{5,8}|3\d{2}[ -]?\d{6,7})\b"),
    or_alone("PhoneNumber-US", r"\(?\b[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[ .-]?\d{4}\b", PHONE, r"\+1[ .-]?\(?[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[ .-]?\d{4}\b"),
    near("PostalCode-CA", r"\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d\b", &["postal code", "code postal", "postalcode"]),
    near("RgNumber-BR", r"\b\d{1,2}\.?\d{3}\.?\d{3}-?[0-9Xx]\b", &["registro geral", "rg"]),
    checked("SocialInsuranceNumber-CA", r"\b\d{3}[ -]?\d{3}[ -]?\d{3}\b", checks::sin_ca, &["canadian id", "numéro d'assurance sociale", "sin", "social insurance number"]),
    near("Ssn-ES", r"\b\d{2}[ /-]?\d{8}[ /-]?\d{2}\b", SSN_ES),
    checked("Ssn-US", r"\b\d{3}-\d{2}-\d{4}\b|\b\d{3} \d{2} \d{4}\b|\b\d{9}\b", checks::ssn_us, &["social security", "ss#", "ssn"]),
    checked("TaxId-DE", r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", checks::tax_id_de, TAX_DE),
    near("TaxId-ES", r"\b(?:[A-HJ-NP-SUVW]\d{7}[0-9A-J]|[XYZ]?\d{7,8}[A-Z])\b", TAX_ES),
    near("TaxId-FR", r"\b[0-3]\d{1} ?\d{2} ?\d{3} ?\d{3} ?\d{3}\b", TAX_FR),
    near("TaxId-GB", r"\b\d{5} ?\d{5}\b", TAX_GB),
    checked("VehicleIdentificationNumber", r"\b[A-HJ-NPR-Z0-9]{17}\b", checks::vin, &["fahrgestellnummer", "niv", "numarul de identificare", "numarul seriei de sasiu", "numer vin", "número de identificação do veículo", "número de identificación de automóviles", "numéro d'identification du véhicule", "vehicle identification number", "vin", "vin numerosu", "vehicle"]),
    near("ZipCode-US", r"\b\d{5}(?:-\d{4})?\b", &["zip code", "zip+4", "zip"]),
];
