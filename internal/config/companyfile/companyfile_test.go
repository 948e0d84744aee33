package companyfile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"vidimus/internal/config/document"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/question"
)

const (
	sample  = "../../../docs/operate/company.yaml"
	minimal = "companyid: testbank\nshortcode: TSB\nname: TestBank AG\napi_keys: [testbankApiKey]\n"
)

// noon is when the files are read.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// lines returns the mistakes without their file, one a line.
func mistakes(t *testing.T, data string) []string {
	t.Helper()
	c, s, err := Parse("bank.yaml", []byte(data), Options{ReadFile: Beside("testdata/bank.yaml"), Now: noon})
	var e document.Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: the error is %v", data, err)
	}
	if !reflect.ValueOf(c).IsZero() || !reflect.ValueOf(s).IsZero() {
		t.Errorf("%q: something is returned beside the error", data)
	}
	var got []string
	for _, m := range e {
		if m.File != "bank.yaml" || !strings.Contains(m.Expected, "expected") {
			t.Errorf("%v does not say what is expected where", m)
		}
		got = append(got, strings.TrimPrefix(document.Mistake{Line: m.Line, Path: m.Path}.String(), ":"))
	}
	return got
}

func TestSampleSetsEverything(t *testing.T) {
	c, s, err := Load(sample)
	if err != nil {
		t.Fatal(err)
	}
	for f, v := range reflect.ValueOf(c).Fields() {
		if v.IsZero() {
			t.Errorf("%s is not set", f.Name)
		}
		if v.Kind() == reflect.Struct {
			for inner, v := range v.Fields() {
				if v.IsZero() {
					t.Errorf("%s.%s is not set", f.Name, inner.Name)
				}
			}
		}
	}
	if len(s.APIKeys) != 1 || s.MailPasswords[0] == "" || s.WebhookSecrets[0] == "" || !c.Webhooks[0].SecretConfigured {
		t.Error("a secret is missing")
	}
}

func TestSampleNamesEveryKeyWithAComment(t *testing.T) {
	data, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for key := range (&reader{}).fields() {
		found := false
		for i, line := range lines {
			found = found || i > 0 && strings.HasPrefix(line, key+":") && strings.HasPrefix(lines[i-1], "#")
		}
		if !found {
			t.Errorf("%s does not stand in the sample below a comment", key)
		}
	}
}

func TestMinimalFileHasTheDefaults(t *testing.T) {
	c, s, err := Parse("bank.yaml", []byte(minimal), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(company.New("testbank", "TSB", "TestBank AG"), c); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(company.Secrets{APIKeys: []string{"testbankApiKey"}}, s); diff != "" {
		t.Error(diff)
	}
}

func TestValuesArrive(t *testing.T) {
	c, s, err := Parse("bank.yaml", []byte(minimal+`
realtime: true
retention: {results: 1d12h}
webhooks:
  - {url: "http://127.0.0.1:1/a", retry: {permanent: [4XX, 301]}}
  - {url: "http://127.0.0.1:1/b", events: [FINAL], secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}
mail:
  - {to: a@b.example, method: smime, certificate: recipient.p7b}
  - {to: a@b.example, method: aes_zip, password: 012345}
questions:
  - {key: a, type: RADIO_STRING, label: "?", options: [1, two, NO]}
  - {key: b, type: INPUT, label: "?", show_if: {a: [1]}}
`), Options{ReadFile: Beside("testdata/bank.yaml"), Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	hooks := []company.Webhook{
		{URL: "http://127.0.0.1:1/a", Events: company.Events, Retry: company.Policy{Permanent: []company.Codes{"4xx", "301"}}.Filled()},
		{URL: "http://127.0.0.1:1/b", Events: []company.Event{company.Final}, Retry: company.Policy{}.Filled(), SecretConfigured: true},
	}
	if diff := cmp.Diff(hooks, c.Webhooks); diff != "" {
		t.Error(diff)
	}
	questions := []question.Definition{
		{Key: "a", Type: question.RadioString, Label: "?", Options: []string{"1", "two", "NO"}},
		{Key: "b", Type: question.Input, Label: "?", ShowIf: map[string][]string{"a": {"1"}}},
	}
	if diff := cmp.Diff(questions, c.Questions); diff != "" {
		t.Error(diff)
	}
	want := company.Secrets{APIKeys: []string{"testbankApiKey"}, MailPasswords: []string{"", "012345"}, WebhookSecrets: []string{"", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if c.Retention.Results != 36*time.Hour || c.Retention.Unfinished != 90*24*time.Hour {
		t.Errorf("%+v", c.Retention)
	}
}

func TestRealtimeIsNotSubscribedWithoutRealtimeResults(t *testing.T) {
	c, _, err := Parse("bank.yaml", []byte(minimal+"webhooks: [{url: \"https://a.example/\"}]"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]company.Event{company.Final, company.Aborted, company.Canceled}, c.Webhooks[0].Events); diff != "" {
		t.Error(diff)
	}
}

func TestCertificateInEveryFormIsTheSame(t *testing.T) {
	der, err := os.ReadFile("testdata/recipient.der")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/recipient.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"recipient.der", "recipient.pem", "recipient.p7b", "recipient-pem.p7b", "|\n    " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    ")} {
		c, _, err := Parse("bank.yaml", []byte(minimal+"mail:\n- to: a@b.example\n  method: smime\n  certificate: "+form), Options{ReadFile: Beside("testdata/bank.yaml"), Now: noon})
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff([][]byte{der}, c.Mail[0].Certificates); diff != "" {
			t.Errorf("%s: %s", form, diff)
		}
	}
}

func TestAShortRetryTimeNeedsNoTimeOfTheWarning(t *testing.T) {
	c, _, err := Parse("bank.yaml", []byte(minimal+"webhooks: [{url: \"https://a.example/\", retry: {max_time: 5s}}]\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(Show(c))
	if err != nil || strings.Contains(string(text), "warn_after") || !strings.Contains(string(text), "max_time: 5s") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestEveryMistakeIsNamedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"empty":            {"", []string{"1: companyid: ", "1: shortcode: ", "1: name: ", "1: api_keys: "}},
		"a list":           {"- a\n", []string{"1: ", "1: companyid: ", "1: shortcode: ", "1: name: ", "1: api_keys: "}},
		"unknown":          {minimal + "nmae: x\nsftp: {keys: []}\n", []string{"5: nmae: ", "6: sftp.keys: "}},
		"twice":            {minimal + "name: x\n", []string{"5: name: "}},
		"wrong types":      {minimal + "realtime: maybe\narchive: \"true\"\nproducts: videoident\ncopy_to:\nwebhooks: {}\nmail: [1]\n", []string{"5: realtime: ", "6: archive: ", "7: products: ", "8: copy_to: ", "9: webhooks: ", "10: mail[0]: "}},
		"null and boolean": {strings.Replace(minimal, "TestBank AG", "null", 1) + "technical_contact: yes\nbranding: {host: true}\n", []string{"3: name: ", "5: technical_contact: ", "6: branding.host: "}},
		"values": {minimal + `
webhooks:
  - url: https://a.example/
    retry:
      max_time: 10s
      warn_after: 1m
      success: [2xx, 700]
  - url: a.example
    events:
      - FINAL
      - SOON
questions:
  - {key: a, type: INPUT, label: x}
  - {key: a, type: DATE, label: y,
     options: [z]}
`, []string{"10: webhooks[0].retry.warn_after: ", "11: webhooks[0].retry.success[1]: ", "12: webhooks[1].url: ", "15: webhooks[1].events[1]: ", "18: questions[1].key: ", "19: questions[1].options: "}},
		"one address":  {minimal + "webhooks:\n- url: https://a.example/\n- events: [FINAL]\n  url: https://a.example/\n", []string{"8: webhooks[1].url: "}},
		"durations":    {minimal + "retention: {results: 90, unfinished: 0s}\nwebhooks: [{url: \"https://a.example/\", retry: {max_time: -1h, warn_after: 0}}]", []string{"5: retention.results: ", "5: retention.unfinished: ", "6: webhooks[0].retry.max_time: ", "6: webhooks[0].retry.warn_after: "}},
		"secrets":      {minimal + "mail: [{to: a@b.example, method: aes_zip}, {to: a@b.example, method: aes_zip, password: \"\"}]\nwebhooks: [{url: \"https://a.example/\", secret: x}]", []string{"5: mail[1].password: ", "5: mail[0].password: ", "6: webhooks[0].secret: "}},
		"link":         {minimal + "mail: [{to: a@b.example, method: link}]", []string{"5: mail[0].method: "}},
		"paths":        {minimal + "branding: {logo: ../logo.svg}\nesign: {seals: {a: /etc/passwd, b: 'c:\\d', c: .., d: ''}}\nmail: [{to: a@b.example, method: smime, certificate: sub/recipient.pem}]", []string{"5: branding.logo: ", "6: esign.seals.a: ", "6: esign.seals.b: ", "6: esign.seals.c: ", "6: esign.seals.d: ", "7: mail[0].certificate: "}},
		"files":        {minimal + "branding: {logo: none.svg}\nesign: {seals: {a: recipient.pem}}\nmail: [{to: a@b.example, method: smime, certificate: companyfile_test.go}]", []string{"5: branding.logo: ", "6: esign.seals.a: ", "7: mail[0].certificate: "}},
		"private key":  {minimal + "mail:\n- to: a@b.example\n  method: smime\n  certificate: |\n    -----BEGIN PRIVATE KEY-----\n    AAAA\n    -----END PRIVATE KEY-----", []string{"8: mail[0].certificate: "}},
		"cut PEM":      {minimal + "mail: [{to: a@b.example, method: smime, certificate: '-----BEGIN CERTIFICATE-----'}]", []string{"5: mail[0].certificate: "}},
		"unsound key":  {minimal + "sftp:\n  ssh_keys:\n  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA\n  - ssh-rsa x\n", []string{"7: sftp.ssh_keys[0]: ", "8: sftp.ssh_keys[1]: "}},
		"CRLF in name": {"companyid: a\nshortcode: ABC\nname: \"a\\r\\nb\"\napi_keys: [k]\n", []string{"3: name: "}},
		"documents":    {minimal + "---\n" + minimal, []string{"5: "}},
		"alias":        {"companyid: &a bank\nname: *a\n", []string{"1: "}},
		"bomb":         {"a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", []string{"1: "}},
		"no YAML":      {minimal + "realtime: [\n", []string{"6: "}},
		"too large":    {minimal + "#" + strings.Repeat("x", 1<<20), []string{" "}},
	} {
		got := mistakes(t, c.data)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMistakesTellNoSecret(t *testing.T) {
	for _, data := range []string{
		"api_keys: [SECRET, SECRET]\n", "api_keys: SECRET\n", "api_keys: {SECRET: x\n", "api_keys: [\"SECRET\n", "api_keys: [*SECRET]\n", "api_keys: !SECRET x\n",
		"mail: [{password: [SECRET]}]\n", "mail: [{password: SECRET}]\n", "webhooks: [{secret: SECRET}]\n", "api_keys: [%SECRET]\n", "api_keys: [@SECRET]\n", "api_keys: `SECRET\n",
	} {
		_, _, err := Parse("bank.yaml", []byte(data), Options{})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestFileThatCannotBeReadIsAMistake(t *testing.T) {
	for _, opt := range []Options{
		{},
		{ReadFile: func(string) ([]byte, error) { return nil, fs.ErrPermission }},
		{ReadFile: func(string) ([]byte, error) { return make([]byte, 1<<20+1), nil }},
	} {
		if _, _, err := Parse("bank.yaml", []byte(minimal+"branding: {logo: logo.svg}"), opt); err == nil {
			t.Error("a company without its logo is taken")
		}
	}
}

func TestBesideStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "in"), 0o700),
		os.WriteFile(filepath.Join(dir, "outside"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(dir, "in", "inside"), []byte("y"), 0o600),
		os.WriteFile(filepath.Join(dir, "in", "large"), make([]byte, maxBeside+10), 0o600),
		os.Symlink(filepath.Join(dir, "outside"), filepath.Join(dir, "in", "link")),
	); err != nil {
		t.Fatal(err)
	}
	read := Beside(filepath.Join(dir, "in", "bank.yaml"))
	for _, name := range []string{"../outside", "link", filepath.Join(dir, "outside"), ".", "none"} {
		if b, err := read(name); err == nil {
			t.Errorf("%s: %q", name, b)
		}
	}
	if b, err := read("inside"); err != nil || string(b) != "y" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := read("large"); err != nil || len(b) != maxBeside+1 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestLoadSaysThatTheFileIsMissing(t *testing.T) {
	if _, _, err := Load("testdata/none.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(minimal)
	f.Add(minimal + "mail: [{to: a@b.example, method: smime, certificate: recipient.p7b}]")
	f.Add(minimal + "questions: [{key: a, type: INPUT, label: x, show_if: {city: [a]}}]")
	f.Add("a: &a [*a]\n---\n")
	f.Fuzz(func(t *testing.T, data string) {
		c, s, err := Parse("bank.yaml", []byte(data), Options{ReadFile: Beside("testdata/bank.yaml"), Now: noon})
		if err != nil {
			return
		}
		if err := errors.Join(c.Check(), s.Check(c)); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back company.Company
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzCertificates(f *testing.F) {
	for _, name := range []string{"recipient.der", "recipient.pem", "recipient.p7b", "recipient-pem.p7b"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := parseCertificates(data)
		if err == nil && len(certs) == 0 {
			t.Error("no certificate is taken for one")
		}
	})
}
