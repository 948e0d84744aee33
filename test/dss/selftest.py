"""Proves that the validators accept what is good and find what is not, before ours are shown to them.

    selftest.py FOLDER

Signs a page with a throw-away PKI at every level, forges copies, and writes FOLDER/manifest.json.
"""

import datetime
import json
import logging
import pathlib
import sys

from asn1crypto import crl as asn1crl
from asn1crypto import keys as asn1keys
from asn1crypto import ocsp as asn1ocsp
from asn1crypto import x509 as asn1x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject
from pyhanko.sign import fields, signers, timestamps
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


class Pki:
    """One root, a signer, a time-stamp authority, a responder, a CRL."""

    def __init__(self, label):
        self.keys = {}
        self.root = self.issue(f"{label} root", ca=True)
        self.signer = self.issue(f"{label} signer")
        self.tsa = self.issue(f"{label} TSA", usage=ExtendedKeyUsageOID.TIME_STAMPING)
        self.responder = self.issue(f"{label} responder", usage=ExtendedKeyUsageOID.OCSP_SIGNING)
        self.crl = (x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
                    .last_update(NOW).next_update(NOW + 7 * DAY)
                    .add_extension(x509.CRLNumber(1), False)
                    .sign(self.keys[self.root], hashes.SHA256()))

    def issue(self, name, ca=False, usage=None):
        stamps = usage == ExtendedKeyUsageOID.TIME_STAMPING  # pyHanko's time-stamp authority knows RSA only
        key = rsa.generate_private_key(65537, 2048) if stamps else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if ca else self.root.subject
        signing = key if ca else self.keys[self.root]
        b = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(NOW - DAY).not_valid_after(NOW + 30 * DAY)
             .add_extension(x509.BasicConstraints(ca, None), True)
             .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
             .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
             .add_extension(x509.KeyUsage(not ca, not ca and usage is None, False, False, False, ca, ca, False, False), True))
        if usage is not None:
            b = b.add_extension(x509.ExtendedKeyUsage([usage]), True)
        if usage == ExtendedKeyUsageOID.OCSP_SIGNING:
            b = b.add_extension(x509.OCSPNoCheck(), False)
        cert = b.sign(signing, hashes.SHA256())
        self.keys[cert] = key
        return cert

    def ocsp(self, cert):
        return (ocsp.OCSPResponseBuilder()
                .add_response(cert, self.root, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, NOW, NOW + DAY, None, None)
                .responder_id(ocsp.OCSPResponderEncoding.HASH, self.responder).certificates([self.responder])
                .sign(self.keys[self.responder], hashes.SHA256()))

    def signing(self):
        key = self.keys[self.signer].private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return signers.SimpleSigner(asn1(self.signer), asn1keys.PrivateKeyInfo.load(key), store([self.root]))

    def stamping(self):
        key = self.keys[self.tsa].private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return timestamps.DummyTimeStamper(asn1(self.tsa), asn1keys.PrivateKeyInfo.load(key), store([self.root]))

    def context(self):
        data = serialization.Encoding.DER
        return ValidationContext(
            trust_roots=[asn1(self.root)], allow_fetching=False, revocation_mode="require",
            other_certs=[asn1(c) for c in (self.signer, self.tsa, self.responder)],
            ocsps=[asn1ocsp.OCSPResponse.load(self.ocsp(c).public_bytes(data)) for c in (self.signer, self.tsa)],
            crls=[asn1crl.CertificateList.load(self.crl.public_bytes(data))])


def asn1(cert):
    return asn1x509.Certificate.load(cert.public_bytes(serialization.Encoding.DER))


def store(certs):
    s = SimpleCertificateStore()
    s.register_multiple([asn1(c) for c in certs])
    return s


def sign(pki, source, target, level):
    meta = signers.PdfSignatureMetadata(
        field_name="Signature" + level.replace("-", ""), md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=level in ("B-LT", "B-LTA"), use_pades_lta=level == "B-LTA",
        validation_context=pki.context() if level in ("B-LT", "B-LTA") else None)
    stamper = pki.stamping() if level != "B-B" else None
    with open(source, "rb") as i, open(target, "w+b") as o:
        signers.PdfSigner(meta, pki.signing(), timestamper=stamper).sign_pdf(IncrementalPdfFileWriter(i), output=o)


def write_page(target):
    w = PdfFileWriter()
    w.insert_page(PageObject(contents=w.add_object(StreamObject(DictionaryObject(), stream_data=b"0 0 100 100 re f")), media_box=(0, 0, 595, 842)))
    with open(target, "wb") as o:
        w.write(o)


def change_page(source, target):
    """Adds a revision that changes the first page: no signer has seen it."""
    with open(source, "rb") as i, open(target, "wb") as o:
        w = IncrementalPdfFileWriter(i)
        page, _ = w.find_page_for_modification(0)
        page = page.get_object()
        page["/Contents"] = w.add_object(StreamObject(DictionaryObject(), stream_data=b"0 0 500 500 re f"))
        w.update_container(page)
        w.write(o)



def main():
    logging.disable(logging.WARNING)  # pyHanko warns that it cannot fetch anything, and is not to
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "unsigned.pdf"
    write_page(source)
    pki, other = Pki("Harness"), Pki("Other")
    for name, p in (("root", pki), ("other", other)):
        (folder / f"{name}.pem").write_bytes(p.root.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.crl").write_bytes(p.crl.public_bytes(serialization.Encoding.DER))
    manifest = []

    def add(file, level, **more):
        entry = {"file": file, "level": level, "roots": ["root.pem"], "crls": ["root.crl"] if level in ("B-B", "B-T") else []}
        manifest.append(entry | more)

    for level in ("B-B", "B-T", "B-LT", "B-LTA"):
        file = f"good-{level}.pdf"
        sign(pki, source, folder / file, level)
        add(file, level)
    sign(pki, folder / "good-B-LT.pdf", folder / "good-twice.pdf", "B-LTA")
    add("good-twice.pdf", "B-LTA", signatures=2)

    forged = {"expect": "fail"}
    add("good-B-LT.pdf", "B-LT", roots=["other.pem"], note="another root", **forged)
    add("good-B-B.pdf", "B-B", roots=["root.pem"], crls=[], note="nothing says that it is not revoked", blind=["pyHanko"], **forged)
    add("good-B-T.pdf", "B-LT", note="claims more than it is", crls=["root.crl"], **forged)
    data = bytearray((folder / "good-B-LT.pdf").read_bytes())
    at = data.index(b"%PDF") + 7
    data[at] ^= 1  # the version in the header is signed too
    (folder / "bad-byte.pdf").write_bytes(data)
    add("bad-byte.pdf", "B-LT", note="one byte differs", **forged)
    change_page(folder / "good-B-LT.pdf", folder / "bad-page.pdf")
    add("bad-page.pdf", "B-LT", note="the page was changed afterwards", **forged)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main()
