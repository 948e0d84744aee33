package mail

import (
	"fmt"
	"net/url"
	"strings"
)

// Kind is one of the three mails of chapter 14.6.
type Kind int

// The mails about a webhook that does not get through.
const (
	Warning  Kind = iota // it failed for a while and is tried again (14.6.1)
	GivingUp             // it is not tried again (14.6.1)
	Outdated             // the identification has changed, so it is not sent any more (14.6.2)
)

// NoticeData is what a notice says. There is nothing of the user in it.
type NoticeData struct {
	Company           string // the company's id
	IdentID           string
	TransactionNumber string // stands in the subject
	Event             string // such as FINAL
	Endpoint          string // the webhook's URL; only its host is written
	Tries             int    // made so far
	LastStatus        int    // HTTP status of the last answer; 0: there was none
	LastError         string // class of the last failure without an answer; empty: none
}

var notices = map[Kind]struct{ subject, opening, closing string }{
	Warning: {
		"IDnow Webhook Warning: Unable to send for %s. Retrying.",
		"a webhook to your server could not be delivered yet.",
		"We keep trying, with growing pauses, until the maximum retry time of your account is over.\n" +
			"Please check that the endpoint is reachable and answers with a success status.",
	},
	GivingUp: {
		"IDnow Webhook Error: Unable to send for %s. Giving up.",
		"a webhook to your server could not be delivered, and we have given up.",
		"This webhook will not be sent again. The identification itself is not affected: if it has\n" +
			"a result, you can retrieve it over the other ways of your account.",
	},
	Outdated: {
		"IDnow Webhook Error: Not sending for %s since identification was changed",
		"a webhook that we could not deliver is outdated: the identification has changed since.",
		"This webhook will not be sent again. Later events of the identification are delivered on\n" +
			"their own, if your account is subscribed to them.",
	},
}

// Notice composes one of the three mails. The subject is wire format: receivers sort by it,
// letter for letter. A kind that is none of the three is a programmer's mistake and panics.
func Notice(kind Kind, d NoticeData) (subject, text string) {
	n, known := notices[kind]
	if !known {
		panic(fmt.Sprintf("mail: no notice of kind %d", kind))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Hello,\n\n%s\n\n", n.opening)
	for _, row := range [][2]string{
		{"Company", d.Company},
		{"Transaction number", d.TransactionNumber},
		{"Ident-ID", d.IdentID},
		{"Event", d.Event},
		{"Endpoint", host(d.Endpoint)},
		{"Tries so far", fmt.Sprint(d.Tries)},
		{"Last result", lastResult(d)},
	} {
		fmt.Fprintf(&b, "%-20s%s\n", row[0]+":", row[1])
	}
	fmt.Fprintf(&b, "\n%s\n\nThis mail was written by a program. Answers to it are not read.\n", n.closing)
	return fmt.Sprintf(n.subject, d.TransactionNumber), b.String()
}

// host drops what may be secret in a URL: user, password, path and query.
func host(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "unknown"
	}
	return u.Host
}

// unmailed are the texts of the notice that a result could not be mailed.
const (
	unmailedSubject = "Vidimus: the result of %s could not be mailed"
	unmailedText    = "Hello,\n\na result could not be mailed to one of your recipients, and we have given up.\n\n"
	unmailedEnd     = "\nThe result itself is not affected: you can retrieve it over the other ways of your account.\n" +
		"\nThis mail was written by a program. Answers to it are not read.\n"
)

// Unmailed composes the notice that a result could not be mailed; Endpoint is the recipient.
// Its subject is ours: receivers of webhook notices must not take it for one.
func Unmailed(d NoticeData) (subject, text string) {
	last := d.LastError
	if d.LastStatus != 0 {
		last += fmt.Sprintf(" (the mail server answered %d)", d.LastStatus)
	}
	var b strings.Builder
	b.WriteString(unmailedText)
	for _, row := range [][2]string{
		{"Company", d.Company}, {"Transaction number", d.TransactionNumber}, {"Ident-ID", d.IdentID}, {"Recipient", d.Endpoint},
		{"Tries", fmt.Sprint(d.Tries)}, {"Last result", last},
	} {
		fmt.Fprintf(&b, "%-20s%s\n", row[0]+":", row[1])
	}
	return fmt.Sprintf(unmailedSubject, d.TransactionNumber), b.String() + unmailedEnd
}

func lastResult(d NoticeData) string {
	switch {
	case d.LastStatus != 0:
		return fmt.Sprintf("HTTP status %d", d.LastStatus)
	case d.LastError != "":
		return "no answer: " + d.LastError
	}
	return "none"
}
