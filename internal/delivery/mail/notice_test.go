package mail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var failing = NoticeData{
	Company: "ihrebank", IdentID: "TST-XLFFR", TransactionNumber: "1234567890", Event: "FINAL",
	Endpoint: "https://user:password@www.ihrebank.example:8443/hook/key?token=abc", Tries: 4, LastStatus: 503,
}

func TestSubjectsAreThoseOfChapter14(t *testing.T) {
	for kind, want := range map[Kind]string{
		Warning:  "IDnow Webhook Warning: Unable to send for 1234567890. Retrying.",
		GivingUp: "IDnow Webhook Error: Unable to send for 1234567890. Giving up.",
		Outdated: "IDnow Webhook Error: Not sending for 1234567890 since identification was changed",
	} {
		if subject, _ := Notice(kind, failing); subject != want {
			t.Errorf("subject %q, want %q", subject, want)
		}
	}
}

func TestNoticeSaysWhatHappenedAndNoMore(t *testing.T) {
	_, text := Notice(Warning, failing)
	want := `Hello,

a webhook to your server could not be delivered yet.

Company:            ihrebank
Transaction number: 1234567890
Ident-ID:           TST-XLFFR
Event:              FINAL
Endpoint:           www.ihrebank.example:8443
Tries so far:       4
Last result:        HTTP status 503

We keep trying, with growing pauses, until the maximum retry time of your account is over.
Please check that the endpoint is reachable and answers with a success status.

This mail was written by a program. Answers to it are not read.
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	for _, kind := range []Kind{Warning, GivingUp, Outdated} {
		_, text := Notice(kind, failing)
		for _, secret := range []string{"password", "user", "token", "/hook"} {
			if strings.Contains(text, secret) {
				t.Errorf("kind %d tells %q", kind, secret)
			}
		}
	}
}

func TestNoticeWithoutAnAnswerSaysWhy(t *testing.T) {
	d := failing
	d.LastStatus, d.LastError = 0, "timeout"
	if _, text := Notice(GivingUp, d); !strings.Contains(text, "Last result:        no answer: timeout\n") {
		t.Error(text)
	}
	d.LastError, d.Endpoint = "", "://"
	if _, text := Notice(GivingUp, d); !strings.Contains(text, "none\n") || !strings.Contains(text, "Endpoint:           unknown\n") {
		t.Error(text)
	}
}
