package vidimus.dss;

import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Validates PDFs against roots that are given, without a network, and prints what the EU's
 * Digital Signature Service finds, one fact a line: job, id of the signature, key, value,
 * with tabs between. Each line of the file of jobs is one: its name, the PDF, roots, CRLs,
 * with tabs between; paths in one column are separated by the system's path separator.
 */
public final class Validate {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Validate() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: Validate JOBS");
            System.exit(2);
        }
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] columns = line.split("\t", -1);
            try {
                validate(columns[0], columns[1], paths(columns[2]), paths(columns[3]));
            } catch (Exception | StackOverflowError e) {
                fact(columns[0], "", "error", String.valueOf(e));
            }
        }
    }

    private static void validate(String job, String file, List<String> roots, List<String> crls) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (String root : roots) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(root)));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(); // fetches nothing: it has no source that would
        verifier.setTrustedCertSources(trusted);
        verifier.setAIASource(null);
        if (!crls.isEmpty()) {
            verifier.setCrlSource(new ExternalResourcesCRLSource(crls.stream().map(FileDocument::new).toArray(DSSDocument[]::new)));
        }
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        validator.setCertificateVerifier(verifier);
        Reports reports = validator.validateDocument();
        print(job, reports.getSimpleReport(), reports.getDiagnosticData());
    }

    private static void print(String job, SimpleReport report, DiagnosticData data) {
        fact(job, "", "signatures", String.valueOf(report.getSignatureIdList().size()));
        for (String id : report.getSignatureIdList()) {
            SignatureWrapper found = data.getSignatureById(id);
            fact(job, id, "kind", "signature");
            fact(job, id, "field", String.join(", ", found.getSignatureFieldNames()));
            fact(job, id, "format", String.valueOf(report.getSignatureFormat(id)));
            fact(job, id, "time", String.valueOf(report.getBestSignatureTime(id)));
            fact(job, id, "by", String.valueOf(report.getSignedBy(id)));
            fact(job, id, "changes", String.valueOf(changes(found)));
            verdict(job, id, report);
        }
        for (String id : data.getTimestampIdList()) {
            fact(job, id, "kind", "time-stamp");
            fact(job, id, "format", String.valueOf(data.getTimestampById(id).getType()));
            fact(job, id, "time", String.valueOf(report.getProductionTime(id)));
            verdict(job, id, report);
        }
    }

    /** What the service calls changes after the signature: not of the sort that signing makes. */
    private static List<String> changes(SignatureWrapper found) {
        List<String> changes = new ArrayList<>();
        if (!found.getPdfUndefinedChanges().isEmpty()) {
            changes.add("undefined objects");
        }
        if (!found.getPdfSignatureOrFormFillChanges().isEmpty()) {
            changes.add("signature or form fill");
        }
        if (!found.getPdfAnnotationChanges().isEmpty()) {
            changes.add("annotations");
        }
        if (!found.getPdfAnnotationsOverlapConcernedPages().isEmpty()) {
            changes.add("overlapping annotations");
        }
        return changes;
    }

    private static void verdict(String job, String id, SimpleReport report) {
        Indication indication = report.getIndication(id);
        fact(job, id, "indication", String.valueOf(indication));
        fact(job, id, "subindication", report.getSubIndication(id) == null ? "" : report.getSubIndication(id).toString());
        messages(job, id, "error", report.getAdESValidationErrors(id));
        messages(job, id, "warning", report.getAdESValidationWarnings(id));
        messages(job, id, "info", report.getAdESValidationInfo(id));
    }

    private static void messages(String job, String id, String key, List<Message> messages) {
        for (Message m : messages) {
            fact(job, id, key, m.getValue());
        }
    }

    private static void fact(String job, String id, String key, String value) {
        OUT.println(job + "\t" + id + "\t" + key + "\t" + value.replaceAll("\\s+", " "));
    }

    private static List<String> paths(String column) {
        return column.isEmpty() ? Collections.emptyList() : List.of(column.split(File.pathSeparator));
    }
}
