package report

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"vidimus/internal/service/signing"
)

var _ signing.Recorder = (*Writer)(nil)

// signingWords are the texts of the record of a signing in one language.
type signingWords struct {
	title, intro                                                         string
	signer, method, identified, reviewed, signed, level                  string
	code, codeTo, codeSent, codeEntered                                  string
	certificate, subject, issuer, serial, validFrom, validUntil, sum     string
	documents, document, before, after, note, notQualified, documentFile string
	levels                                                               map[string]string
}

var signingGerman = signingWords{
	title: "Protokoll der Signatur", intro: "Dieses Protokoll hält fest, wer was wann auf welchem Weg signiert hat. Es ist selbst elektronisch gesiegelt.",
	signer: "Unterzeichnet durch", method: "Verfahren und Zugang", identified: "Identifiziert", reviewed: "Identität geprüft", signed: "Signiert", level: "Art der Signatur",
	code: "Bestätigung durch Code", codeTo: "Gesendet an", codeSent: "Gesendet", codeEntered: "Eingegeben",
	certificate: "Zertifikat", subject: "Inhaber", issuer: "Aussteller", serial: "Seriennummer", validFrom: "Gültig ab", validUntil: "Gültig bis", sum: "SHA-256",
	documents: "Dokumente", document: "Dokument", documentFile: "Datei", before: "SHA-256 vor der Signatur", after: "SHA-256 nach der Signatur",
	note: "Der Code wurde nach der Festlegung der Dokumente gesendet; seine Eingabe bestätigt genau die Dokumente mit den Prüfsummen vor der Signatur.",
}

var signingEnglish = signingWords{
	title: "Record of signing", intro: "This record states who signed what, when, and over which channel. It is itself electronically sealed.",
	signer: "Signed by", method: "Method and channel", identified: "Identified", reviewed: "Identity reviewed", signed: "Signed", level: "Kind of signature",
	code: "Confirmation by code", codeTo: "Sent to", codeSent: "Sent", codeEntered: "Entered",
	certificate: "Certificate", subject: "Subject", issuer: "Issuer", serial: "Serial number", validFrom: "Valid from", validUntil: "Valid until", sum: "SHA-256",
	documents: "Documents", document: "Document", documentFile: "File", before: "SHA-256 before signing", after: "SHA-256 after signing",
	note: "The code was sent after the documents were fixed; entering it confirms exactly the documents with the hashes before signing.",
}

// Record writes the record of a signing. It is PDF/A-2u like a report, equal records give
// equal bytes, and whoever calls has it sealed.
func (w *Writer) Record(out io.Writer, r signing.Record) error {
	text, language := in(r.Language)
	say := &signingEnglish
	if language == "de" {
		say = &signingGerman
	}
	certificate, err := x509.ParseCertificate(r.Certificate)
	if err != nil {
		return fmt.Errorf("reading the signer's certificate: %w", err)
	}
	made := r.SignedAt.UTC().Truncate(time.Second)
	s := &sheet{doc: w.document(), fonts: w.fonts, words: text}
	about := text.number + " " + s.clean(string(r.Number)) + "  ·  " + text.id + " " + s.clean(string(r.ID))
	s.heading = s.clean(r.Company) + "  ·  " + say.title + " (" + text.continued + ")"
	s.newPage()
	s.text(bold, 10, navy, left, s.y+3.5, s.fonts.fit(bold, 10, s.clean(r.Company), body))
	s.y += 6
	s.line(navy, s.y)
	s.y += 10
	s.text(bold, 19, ink, left, s.y, say.title)
	s.y += 6
	s.pair(text.number, string(r.Number), text.id, string(r.ID))
	s.paragraph(textSize, soft, say.intro)
	s.signed(say, r)
	s.certificate(say, certificate)
	s.signedDocuments(say, r.Documents)
	if s.lost {
		s.y += 3
		s.paragraph(7.5, soft, text.lost)
	}
	s.footers(about, w.product+"  ·  "+fmt.Sprintf(text.made, made.Format(text.dateTime)))
	w.describe(s.doc, say.title+" "+s.clean(string(r.Number)), s.clean(r.Company), language, made)
	var doc bytes.Buffer
	if err := s.doc.Output(&doc); err != nil {
		return fmt.Errorf("laying out the record: %w", err)
	}
	return finish(out, doc.Bytes(), nil)
}

func (s *sheet) signed(say *signingWords, r signing.Record) {
	s.facts(s.words.signing, []fact{
		{say.signer, r.Signer}, {say.method, r.Method}, {say.level, "PAdES " + string(r.Level) + " (ETSI EN 319 142-1)"},
		{say.identified, s.at(r.IdentifiedAt)}, {say.reviewed, s.at(r.ReviewedAt)}, {say.signed, s.at(r.SignedAt)},
	})
	if r.CodeEnteredAt.IsZero() {
		return
	}
	s.facts(say.code, []fact{{say.codeTo, dash(r.CodeTo)}, {say.codeSent, s.at(r.CodeSentAt)}, {say.codeEntered, s.at(r.CodeEnteredAt)}})
	s.y++
	s.paragraph(7, soft, say.note)
}

func (s *sheet) certificate(say *signingWords, c *x509.Certificate) {
	sum := sha256.Sum256(c.Raw)
	s.facts(say.certificate, []fact{
		{say.subject, c.Subject.CommonName}, {say.issuer, c.Issuer.CommonName}, {say.serial, strings.ToUpper(c.SerialNumber.Text(16))},
		{say.validFrom, s.at(c.NotBefore)}, {say.validUntil, s.at(c.NotAfter)}, {say.sum, grouped(hex.EncodeToString(sum[:]))},
	})
}

func (s *sheet) signedDocuments(say *signingWords, all []signing.RecordedDocument) {
	for _, d := range all {
		name := d.Name
		if d.Version != "" {
			name += " (" + d.Version + ")"
		}
		s.facts(say.documents, []fact{
			{say.document, name}, {say.documentFile, d.File}, {say.before, grouped(d.Before)}, {say.after, grouped(d.After)},
		})
	}
}

// grouped writes a hash in groups of eight digits, which can be compared by eye.
func grouped(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && i%8 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
