package mail

import (
	"crypto/x509"
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"vidimus/internal/domain/company"
)

// ResultMail is what a mail with a result is made of (chapter 10).
type ResultMail struct {
	To, ID            string
	Date              time.Time
	Method            company.Method
	Languages         []string // of the company; the first of de and en is taken
	IdentID           string
	TransactionNumber string
	Password          string            // aes_zip
	Certificate       *x509.Certificate // smime
	Link              string            // link
	Name              string            // of the ZIP, smime
	Size              int64             // of the ZIP, smime
	Write             func(w io.Writer) error
	Modified          time.Time
	Members           []Member // of the ZIP, aes_zip
}

// words are the texts of one language. Nothing in them is personal: subject and text of
// most mails can be read on their way.
type words struct{ subject, hello, done, number, id, zip, smime, link, end string }

var languages = map[string]words{
	"de": {
		subject: "Ergebnis der Identifizierung %s", hello: "Guten Tag,", done: "eine Identifizierung ist abgeschlossen.",
		number: "Transaktionsnummer:", id: "Ident-ID:",
		zip: "Das Ergebnis liegt als ZIP-Datei bei. Sie ist mit dem vereinbarten Passwort verschlüsselt (AES-256)\n" +
			"und öffnet sich mit Programmen wie 7-Zip oder WinZip.",
		smime: "Das Ergebnis liegt als ZIP-Datei bei. Diese Nachricht ist samt der Datei für Ihr Zertifikat verschlüsselt.",
		link:  "Das Ergebnis kann hier mit einem API-Schlüssel Ihres Kontos abgerufen werden:",
		end:   "Diese Nachricht hat ein Programm geschrieben. Antworten darauf werden nicht gelesen.",
	},
	"en": {
		subject: "Result of identification %s", hello: "Hello,", done: "an identification is complete.",
		number: "Transaction number:", id: "Ident-ID:",
		zip: "The result is attached as a ZIP file. It is encrypted with the password that was agreed on (AES-256)\n" +
			"and opens with programs such as 7-Zip or WinZip.",
		smime: "The result is attached as a ZIP file. This mail, with the file, is encrypted to your certificate.",
		link:  "The result can be fetched here, with an API key of your account:",
		end:   "This mail was written by a program. Answers to it are not read.",
	},
}

// language returns the texts in the first of a company's languages that there are texts in.
func language(all []string) words {
	for _, l := range all {
		if w, ok := languages[l]; ok {
			return w
		}
	}
	return languages["en"]
}

// Message composes the mail. An error says that the result is too large for its method.
func (r ResultMail) Message() (Message, error) {
	w := language(r.Languages)
	m := Message{To: r.To, ID: r.ID, Date: r.Date, IdentID: r.IdentID, Subject: fmt.Sprintf(w.subject, r.TransactionNumber)}
	how := w.link + "\n\n" + r.Link
	switch r.Method {
	case company.AESZip:
		size, err := zipSize(r.Members)
		if err != nil {
			return Message{}, err
		}
		how = w.zip
		m.Attachments = []Attachment{{
			Name: clearName(r.TransactionNumber, r.IdentID), ContentType: "application/zip", Size: size,
			Write: func(to io.Writer) error { return writeZIP(to, r.Password, r.Modified, r.Members) },
		}}
	case company.SMIME:
		how = w.smime
		m.EncryptTo = r.Certificate
		m.Attachments = []Attachment{{Name: r.Name, ContentType: "application/zip", Size: r.Size, Write: r.Write}}
	case company.Link:
	}
	m.Text = w.hello + "\n\n" + w.done + "\n\n" + fmt.Sprintf("%-20s%s\n%-20s%s\n", w.number, r.TransactionNumber, w.id, r.IdentID) +
		"\n" + how + "\n\n" + w.end + "\n"
	if r.Method == company.Link {
		m.HTML = hyper(m.Text, r.Link)
	}
	return m, nil
}

// clearName is the name of a file that others can read on its way: the account's pattern
// for names may hold what is personal, the number does not.
func clearName(number, id string) string {
	if number == "" || len(number) > 200 {
		number = id
	}
	return number + ".zip"
}

// hyper is text for programs that show HTML, with a link that can be clicked.
func hyper(text, link string) string {
	escaped := html.EscapeString(link)
	body := strings.ReplaceAll(html.EscapeString(text), escaped, `<a href="`+escaped+`">`+escaped+`</a>`)
	return "<!DOCTYPE html>\n<html><body><pre style=\"white-space: pre-wrap\">" + body + "</pre></body></html>\n"
}
