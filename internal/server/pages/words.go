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
