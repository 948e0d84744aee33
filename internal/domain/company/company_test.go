package company

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/question"
)

const (
	svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>`
	key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA bank"
)

func pngPicture(side int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, 1))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func jpegPicture() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// full is a company with every setting.
func full() Company {
	c := New("ihrebank", "IBA", "IhreBank AG")
	c.TechnicalContact = "tech@ihrebank.example"
	c.Products = []Product{VideoIdent, AutoIdent, ESigning}
	c.Realtime, c.Archive, c.UserdataForm, c.SecureDownload, c.StreetNumberInStreet, c.PublicWaitingTime = true, true, true, true, true, true
	c.CopyTo = []ID{"testbank"}
	c.Redirects = Redirects{"https://www.ihrebank.example/ok?tn=<transactionnumber>", "http://127.0.0.1:8080/<transactionnumber>"}
	c.Webhooks = []Webhook{{
		URL: "https://www.ihrebank.example/hook?a=b", Events: Events, SecretConfigured: true,
		Retry: Policy{time.Hour, time.Minute, []Codes{"2xx", "404"}, []Codes{"3xx"}, []Codes{"4xx"}},
	}}
	c.Mail = []Mail{
		{To: "results@ihrebank.example", Method: SMIME, Certificates: [][]byte{{0x30, 0}}},
		{To: "a.b+c@localhost", Method: AESZip},
		{To: "results@ihrebank.example", Method: Link},
	}
	c.SFTP.SSHKeys = []string{key}
	c.Results = Results{"{transactionnumber}-{custom1}", PNG, WAV, true, []string{"number", "validuntil"}}
	c.Questions = []question.Definition{
		{Key: "source", Type: question.Dropdown, Label: "Source of funds", Options: []string{"salary"}, ReadOnly: true},
		{Key: "since", Type: question.Date, Label: "Since", ShowIf: map[string][]string{"country": {"DE"}, "source": {"salary"}}},
	}
	c.ESign = ESign{true, map[string]Image{"my_seal": {TypePNG, pngPicture(1)}, "other": {TypeJPEG, jpegPicture()}}, CH, true, LevelLTA}
	c.Embedding.Origins = []string{"https://www.ihrebank.example", "http://localhost:3000", "https://*.ihrebank.example"}
	c.Branding = Branding{Image{TypeSVG, []byte(svg)}, "#0a5", "ident.ihrebank.example"}
	return c
}

func fullSecrets() Secrets {
	return Secrets{
		APIKeys:        []string{"exampleApiKey"},
		MailPasswords:  []string{"", "a long password", ""},
		WebhookSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))},
	}
}

func TestFullCompanyIsRightAndSurvivesJSON(t *testing.T) {
	want := full()
	if err := errors.Join(want.Check(), fullSecrets().Check(want)); err != nil {
		t.Fatal(err)
	}
	for f, v := range reflect.ValueOf(want).Fields() {
		if v.IsZero() {
			t.Errorf("%s is zero: this company is not full", f.Name)
		}
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Company
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewCompanyIsRight(t *testing.T) {
	c := New("testbank", "TSB", "TestBank AG")
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestCopyingToItselfIsAlwaysAllowed(t *testing.T) {
	c := full()
	if c.RequireCopyTo("ihrebank") != nil || c.RequireCopyTo("testbank") != nil || !fault.Is(c.RequireCopyTo("other"), fault.Forbidden) {
		t.Error("copying is allowed or refused wrongly")
	}
}

func TestWebhookWantsOnlyItsEvents(t *testing.T) {
	w := Webhook{Events: []Event{Final}}
	if !w.Wants(Final) || w.Wants(Aborted) {
		t.Error("the webhook wants other events")
	}
}

func TestIDs(t *testing.T) {
	for _, s := range []string{"ihrebank", "testbank", "a", "0", "my-bank-2", "abc-defg", "abc-defghi", "abcd-efgh", "test", "demo", strings.Repeat("a", 64)} {
		if id, err := ParseID(s); err != nil || string(id) != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "IhreBank", "ihre_bank", "ihre bank", "bänk", "a/b", "..", "a\n", strings.Repeat("a", 65), "system_check",
		"api", "v1", "v2", "assets", "docs", "metrics", "app", "desk", "console", "static", "health", "robots", "favicon", "archive", "abc-defgh", "ib1-h5fd8"} {
		if _, err := ParseID(s); !fault.Is(err, fault.Invalid) || fault.All(err)[0].Key != "companyid" {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"IBA", "007", "A1Z"} {
		if code, err := ParseShortcode(s); err != nil || string(code) != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "iba", "IB", "IBAN", "IB-", "ÄBC", "IBA\n"} {
		if _, err := ParseShortcode(s); !fault.Is(err, fault.Invalid) || fault.All(err)[0].Key != "shortcode" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSecretsAreWithheld(t *testing.T) {
	s := fullSecrets()
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "secrets", s, "pointer", &s)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "secrets", s, "company", full())
	fmt.Fprintf(&b, "%v %+v %#v %s %v", s, s, s, s, &s)
	for _, secret := range []string{"exampleApiKey", "a long password", "whsec_", "tech@"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is in %s", secret, b.String())
		}
	}
}
