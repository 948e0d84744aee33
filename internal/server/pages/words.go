package pages

import (
	"net/http"

	"golang.org/x/text/language"

	"vidimus/internal/service/account"
)

// words are the texts of all pages in one language.
type words struct {
	Lang  string // ISO 639-1
	Error string // stands before the title of a page that tells of a mistake

	DownloadTitle string
	DownloadIntro string // followed by the company's name
	Key           string
	KeyHint       string // with %s for the company's name
	Download      string
	NoKey         string
	WrongKey      string

	UploadTitle    string
	UploadIntro    string // with %s for the document's name
	File           string
	FileHint       string
	Upload         string
	Uploading      string // the label of the progress
	Uploaded       string // before the fingerprint of what is there
	Replace        string
	Given          string // the company has uploaded it
	UploadClosed   string
	NoFile         string
	WrongFile      string
	WrongPlaces    string
	FileTooLarge   string
	FileIncomplete string

	NotFound    saying
	WrongMethod saying
	TooLarge    saying
	TooMany     saying
	Internal    saying
	Quote       string // before the number of an error
}

// saying is the page of an error.
type saying struct{ Title, Text string }

// languages lists what there are pages in; the first serves who understands neither.
var languages = []string{"en", "de"}

var texts = map[string]*words{
	"en": {
		Lang:  "en",
		Error: "Error",

		DownloadTitle: "Download a result",
		DownloadIntro: "With your API key you can download the result of this identification as a ZIP file.",
		Key:           "API key",
		KeyHint:       "The key of the account %s. It is used for this download only and is not stored.",
		Download:      "Download",
		NoKey:         "Please enter your API key.",
		WrongKey:      "This API key is not correct. Please check it and try again.",

		UploadTitle:    "Upload a document",
		UploadIntro:    "Please upload the document “%s” here, so that you can sign it.",
		File:           "File",
		FileHint:       "At most 64 MiB.",
		Upload:         "Upload",
		Uploading:      "Uploading",
		Uploaded:       "The document has been uploaded. Its fingerprint is",
		Replace:        "You can replace it by another file until you begin with the identification.",
		Given:          "The document is here already. There is nothing to upload.",
		UploadClosed:   "Nothing can be uploaded here at the moment: the identification has begun or is finished.",
		NoFile:         "Please choose a file.",
		WrongFile:      "This file cannot be signed. Please upload the document as you received it: a PDF that is not encrypted and not damaged.",
		WrongPlaces:    "This is not the expected document: a place for a signature is missing in it.",
		FileTooLarge:   "The file is larger than 64 MiB.",
		FileIncomplete: "The file did not arrive whole. Please try again.",

		NotFound:    saying{"Page not found", "This address is not correct, or what was here has been deleted."},
		WrongMethod: saying{"This is not possible", "This page cannot be used in this way."},
		TooLarge:    saying{"Too much was sent", "What was sent is larger than this page can take."},
		TooMany:     saying{"Too many attempts", "There were too many failed attempts from your network. Please wait a minute and try again."},
		Internal:    saying{"Something went wrong", "The mistake is ours. Please try again later."},
		Quote:       "If it happens again, quote this number:",
	},
	"de": {
		Lang:  "de",
		Error: "Fehler",

		DownloadTitle: "Ergebnis herunterladen",
		DownloadIntro: "Mit Ihrem API-Schlüssel können Sie das Ergebnis dieser Identifikation als ZIP-Datei herunterladen.",
		Key:           "API-Schlüssel",
		KeyHint:       "Der Schlüssel des Kontos %s. Er wird nur für diesen Download verwendet und nicht gespeichert.",
		Download:      "Herunterladen",
		NoKey:         "Bitte geben Sie Ihren API-Schlüssel ein.",
		WrongKey:      "Dieser API-Schlüssel ist nicht richtig. Bitte prüfen Sie ihn und versuchen Sie es noch einmal.",

		UploadTitle:    "Dokument hochladen",
		UploadIntro:    "Bitte laden Sie hier das Dokument „%s“ hoch, damit Sie es unterschreiben können.",
		File:           "Datei",
		FileHint:       "Höchstens 64 MiB.",
		Upload:         "Hochladen",
		Uploading:      "Wird hochgeladen",
		Uploaded:       "Das Dokument wurde hochgeladen. Sein Fingerabdruck ist",
		Replace:        "Sie können es durch eine andere Datei ersetzen, bis Sie mit der Identifikation beginnen.",
		Given:          "Das Dokument liegt schon vor. Es ist nichts hochzuladen.",
		UploadClosed:   "Zurzeit kann hier nichts hochgeladen werden: Die Identifikation hat begonnen oder ist beendet.",
		NoFile:         "Bitte wählen Sie eine Datei aus.",
		WrongFile:      "Diese Datei kann nicht unterschrieben werden. Bitte laden Sie das Dokument so hoch, wie Sie es erhalten haben: als PDF, das weder verschlüsselt noch beschädigt ist.",
		WrongPlaces:    "Das ist nicht das erwartete Dokument: Ein Platz für eine Unterschrift fehlt darin.",
		FileTooLarge:   "Die Datei ist größer als 64 MiB.",
		FileIncomplete: "Die Datei ist nicht vollständig angekommen. Bitte versuchen Sie es noch einmal.",

		NotFound:    saying{"Seite nicht gefunden", "Diese Adresse ist nicht richtig, oder was hier war, wurde gelöscht."},
		WrongMethod: saying{"Das ist nicht möglich", "Diese Seite kann so nicht benutzt werden."},
		TooLarge:    saying{"Zu viele Daten", "Es wurde mehr gesendet, als diese Seite annehmen kann."},
		TooMany:     saying{"Zu viele Versuche", "Aus Ihrem Netz kamen zu viele fehlgeschlagene Versuche. Bitte warten Sie eine Minute und versuchen Sie es noch einmal."},
		Internal:    saying{"Etwas ist schiefgegangen", "Der Fehler liegt bei uns. Bitte versuchen Sie es später noch einmal."},
		Quote:       "Falls es wieder geschieht, nennen Sie diese Nummer:",
	},
}

// maxAccept bounds how much of an Accept-Language header is looked at.
const maxAccept = 1000

// wordsFor returns the texts in the language that the browser likes best among those that
// the account offers (nil: all); if none, in the first that the account offers.
func wordsFor(r *http.Request, a *account.Account) *words {
	list := offered(a)
	tags := make([]language.Tag, len(list))
	for n, l := range list {
		tags[n] = language.Make(l)
	}
	accept := r.Header.Get("Accept-Language")
	if len(accept) > maxAccept {
		accept = ""
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		wanted = nil
	}
	_, n, _ := language.NewMatcher(tags).Match(wanted...)
	return texts[list[n]]
}
