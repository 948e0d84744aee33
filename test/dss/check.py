"""Validates signed PDFs with validators that are not ours, without a network, and prints a table.

    check.py --java FOLDER MANIFEST...

A manifest is a JSON list of objects: file, level (the one that is claimed, "B-LT"), signatures
(how many; default 1), roots and crls (files, one certificate or list each), expect ("pass",
default; "fail": the file is forged on purpose and has to be found out, by all but those in
"blind"; "any": the verdicts are only shown), note. Paths are relative to the manifest. Exit
code 1 if anything is not as it is claimed.
"""

import argparse
import asyncio
import dataclasses
import datetime
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

from asn1crypto import crl as asn1crl
from asn1crypto import ocsp as asn1ocsp
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import DiffResult
from pyhanko.sign.validation import ades, policy_decl
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

LEVELS = ["B-B", "B-T", "B-LT", "B-LTA"]


def der(path):
    """The one object of a file, PEM or DER."""
    data = pathlib.Path(path).read_bytes()
    return pem.unarmor(data)[2] if pem.detect(data) else data


def read_manifest(path):
    base = pathlib.Path(path).resolve().parent
    entries = json.loads(pathlib.Path(path).read_text())
    for e in entries:
        e["name"] = e["file"]
        e["file"] = str(base / e["file"])
        e["roots"] = [str(base / r) for r in e["roots"]]
        e["crls"] = [str(base / c) for c in e.get("crls") or []]
        e.setdefault("signatures", 1)
        e.setdefault("expect", "pass")
        if e["level"] not in LEVELS or e["expect"] not in ("pass", "fail", "any"):
            raise SystemExit(f"{path}: {e['name']}: level or expectation unknown")
    return entries


# --- the EU's Digital Signature Service ---------------------------------------------------

def run_dss(java, entries):
    """Returns, for each entry, the tokens of the report: a dictionary of lists each."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as jobs:
        for i, e in enumerate(entries):
            jobs.write("\t".join([str(i), e["file"], os.pathsep.join(e["roots"]), os.pathsep.join(e["crls"])]) + "\n")
        jobs.flush()
        # No proxy and no host is known to the machine: a validator that tried to fetch something would fail loudly.
        offline = ["-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=9", "-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=9"]
        out = subprocess.run(["java", *offline, "-cp", f"{java}/dss-1.jar:{java}/lib/*", "vidimus.dss.Validate", jobs.name],
                             check=True, capture_output=True, text=True, timeout=1800).stdout
    found = [{} for _ in entries]
    for line in out.splitlines():
        job, token, key, value = line.split("\t", 3)
        found[int(job)].setdefault(token, {}).setdefault(key, []).append(value)
    return found


def judge_dss(entry, tokens):
    """Returns a verdict in words and what is wrong with it."""
    wrong, words, notes = [], [], []
    if "error" in tokens.get("", {}):
        return "not read", tokens[""]["error"], []
    sigs = [t for t in tokens.values() if t.get("kind") == ["signature"]]
    stamps = [t for t in tokens.values() if t.get("kind") == ["time-stamp"]]
    if len(sigs) != entry["signatures"]:
        wrong.append(f"{len(sigs)} signatures, not {entry['signatures']}")
    for t in sigs + stamps:
        indication, sub = t["indication"][0], t["subindication"][0]
        if indication not in ("TOTAL_PASSED", "PASSED"):
            wrong.append(f"{t['kind'][0]}: {indication} {sub}: " + "; ".join(t.get("error", ["?"])))
        for key in ("warning", "info"):
            notes += [f"{t['kind'][0]}: {key}: {m}" for m in t.get(key, [])]
    for t in sigs:
        words.append(f"{t['indication'][0]} {t['format'][0]}")
        if t["format"][0] != "PAdES-BASELINE-" + entry["level"].removeprefix("B-"):
            wrong.append(f"format {t['format'][0]}")
        if t["changes"][0] not in ("[]", "[signature or form fill]"):
            wrong.append(f"changes {t['changes'][0]}")
    return ", ".join(sorted(set(words))), wrong, sorted(set(notes))


# --- pyHanko -------------------------------------------------------------------------------

def spec(entry):
    roots = [x509.Certificate.load(der(r)) for r in entry["roots"]]
    crls = [CRLContainer(asn1crl.CertificateList.load(der(c))) for c in entry["crls"]]
    needed = entry["level"] in ("B-LT", "B-LTA") or crls
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(roots),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO if needed else NO_REVOCATION))
    return policy_decl.PdfSignatureValidationSpec(policy_decl.SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=policy_decl.RevocationInfoGatheringSpec(
            online_fetching_rule=policy_decl.RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=policy_decl.LocalKnowledge(known_crls=crls)))


def dss_of(reader):
    """What the file itself brings along: certificates, OCSP answers and CRLs of its DSS."""
    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return policy_decl.LocalKnowledge()
    return policy_decl.LocalKnowledge(
        known_certs=list(dss.load_certs()),
        known_ocsps=[one for o in dss.ocsps for one in OCSPContainer.load_multi(asn1ocsp.OCSPResponse.load(o.get_object().data))],
        known_crls=[CRLContainer(asn1crl.CertificateList.load(c.get_object().data)) for c in dss.crls])


def with_knowledge(pdf_spec, more):
    """The specification, with what the file brings along."""
    inner = pdf_spec.signature_validation_spec
    own = inner.local_knowledge
    return dataclasses.replace(inner, local_knowledge=policy_decl.LocalKnowledge(
        known_certs=own.known_certs + more.known_certs, known_ocsps=own.known_ocsps + more.known_ocsps,
        known_crls=own.known_crls + more.known_crls))


async def validate(entry, sig):
    """Runs the process of EN 319 102-1 that belongs to the level that is claimed."""
    pdf_spec = spec(entry)
    if entry["level"] == "B-LTA":
        return await ades.ades_lta_validation(sig, pdf_spec)
    known = with_knowledge(pdf_spec, dss_of(sig.reader))
    if entry["level"] == "B-B":
        return await ades.ades_basic_validation(sig.signed_data, known, raw_digest=sig.compute_digest())
    return await ades.ades_with_time_validation(sig.signed_data, known, raw_digest=sig.compute_digest(),
                                                extra_status_kwargs=sig.summarise_integrity_info(), status_cls=PdfSignatureStatus)


async def run_pyhanko(entry):
    wrong, words = [], []
    with open(entry["file"], "rb") as f:
        reader = PdfFileReader(f, strict=False)
        sigs, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
        if len(sigs) != entry["signatures"]:
            wrong.append(f"{len(sigs)} signatures, not {entry['signatures']}")
        for s in sigs + stamps:
            s.compute_integrity_info()
            wrong += coverage_faults(s)
        for s in sigs:
            r = await validate(entry, s)
            words.append(f"{indication(r)} {s.coverage.name}")
            wrong += pyhanko_faults(entry, s, r)
            if entry["level"] in ("B-LT", "B-LTA"):  # what is in the file still serves when all certificates have expired
                later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3650)
                r = await ades.simulate_future_ades_lta_validation(s, spec(entry), later)
                if r.ades_subindic != AdESPassed.OK:
                    wrong.append(f"{s.field_name}: in ten years: {indication(r)} {r.failure_msg or ''}")
        if entry["level"] == "B-LTA" and not stamps:
            wrong.append("no document time-stamp")
    return ", ".join(sorted(set(words))), wrong, []


def coverage_faults(sig):
    info = sig.summarise_integrity_info()
    if sig.coverage not in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION):
        yield f"{sig.field_name}: coverage {sig.coverage.name}"
    if not isinstance(sig.diff_result, DiffResult):
        yield f"{sig.field_name}: changed afterwards: {sig.diff_result}"
    elif info["docmdp_ok"] is False:
        yield f"{sig.field_name}: changed beyond what it permits"


def pyhanko_faults(entry, sig, result):
    if result.ades_subindic != AdESPassed.OK:
        yield f"{sig.field_name}: {indication(result)} {result.failure_msg or ''}"
    status = result.api_status
    if status is None or not (status.intact and status.valid and status.trusted):
        yield f"{sig.field_name}: not intact, valid and trusted"
    elif entry["level"] != "B-B":
        stamp = status.timestamp_validity
        if stamp is None or not (stamp.intact and stamp.valid and stamp.trusted):
            yield f"{sig.field_name}: no signature time-stamp that counts"
    if entry["level"] == "B-LTA" and result.oldest_evidence_record_timestamp is None:
        yield f"{sig.field_name}: no document time-stamp that counts"


def indication(result):
    i = result.ades_subindic
    return "PASSED" if i == AdESPassed.OK else i.name


def judge_pyhanko(entry):
    try:
        return asyncio.run(run_pyhanko(entry))
    except Exception as e:  # a forged file may make it stop anywhere; that is a finding, not ours to sort
        return "not read", [f"{type(e).__name__}: {e}"], []


# --- ours ----------------------------------------------------------------------------------

def judge_ours(program, entry):
    args = [program, "verify", "--json", "--only"]
    args += [f"--roots={r}" for r in entry["roots"]] + [f"--crls={c}" for c in entry["crls"]] + [entry["file"]]
    run = subprocess.run(args, capture_output=True, text=True, timeout=120)
    if not run.stdout:
        return "not read", [run.stderr.strip()], []
    found = json.loads(run.stdout)
    sigs = [s for s in found["signatures"] if s["kind"] != "DOCUMENT_TIMESTAMP"]
    wrong = [f"{s['field']}: {s['verdict']}: {'; '.join(s['reasons'])}" for s in found["signatures"] if s["verdict"] != "VALID"]
    wrong += [f"{s['field']}: level {s['level']}: {'; '.join(s['lacks'])}" for s in sigs if s["level"] != entry["level"]]
    if run.returncode != (0 if found["valid"] else 1):
        wrong.append(f"exit code {run.returncode}")
    if len(sigs) != entry["signatures"]:
        wrong.append(f"{len(sigs)} signatures, not {entry['signatures']}")
    return ", ".join(sorted({f"{s['verdict']} {s['level']}" for s in sigs})), wrong, []


# --- the table -----------------------------------------------------------------------------

def cell(judged):
    words, faults, _ = judged
    return words + ("" if not faults else ", refused" if words else "refused")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--java", required=True, help="folder with what Maven built")
    p.add_argument("--vidimus", help="our own program, whose validator has to come to the same")
    p.add_argument("manifests", nargs="+")
    args = p.parse_args()
    logging.disable(logging.CRITICAL)  # the libraries log what they report
    entries = [e for m in args.manifests for e in read_manifest(m)]
    if not entries:
        raise SystemExit("nothing to validate")
    dss = run_dss(args.java, entries)
    failed, notes = 0, []
    ours = bool(args.vidimus)
    print(f"| file | claimed | DSS | pyHanko |{' ours |' * ours} as it should be |\n| --- | --- | --- | --- |{' --- |' * ours} --- |")
    for e, tokens in zip(entries, dss):
        judged = {"DSS": judge_dss(e, tokens), "pyHanko": judge_pyhanko(e)}
        if ours:
            judged["ours"] = judge_ours(args.vidimus, e)
        wrong = [f"{who}: {w}" for who, (_, faults, _) in judged.items() for w in faults]
        if e["expect"] == "pass":
            good = not wrong
        else:  # each validator for itself has to find the forgery
            good = e["expect"] == "any" or all(faults for who, (_, faults, _) in judged.items() if who not in e.get("blind", []))
        failed += not good
        claimed = {"pass": e["level"], "any": "nothing"}.get(e["expect"], f"forged: {e.get('note', '')}")
        print(f"| {e['name']} | {claimed} | {' | '.join(map(cell, judged.values()))} | {'yes' if good else 'NO'} |")
        notes += [f"{e['name']}: {w}" for w in wrong]
        notes += [f"{e['name']}: {who}: {n}" for who, (_, _, more) in judged.items() for n in more]
    print("\nWhat was said beside it:\n" if notes else "")
    print("\n".join("- " + " ".join(n.split()) for n in notes))
    print(f"\n{len(entries) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
