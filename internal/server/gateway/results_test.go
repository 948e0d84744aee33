// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

// run has robots carry out the scenario, and lets that much time pass.
func (p *platform) run(number, scenario string, d time.Duration) {
	p.t.Helper()
	p.post(own+"/"+number+"/start", `{"firstname":"Lena","lastname":"Vogt","custom1":"X-AUTOTEST-`+scenario+`"}`, key("exampleApiKey"), http.StatusCreated)
	p.post(own+"/"+number+"/requestVideoChat", `{}`, nil, http.StatusOK)
	p.work(d)
}

// outcome is what a test looks at in a result.
type outcome struct {
	Result, Previous, Reason       string
	IdentChanges, ReviewChanges    bool
	Firstname, Status, AfterReview string
}

func outcomeOf(t *testing.T, a answer) outcome {
	t.Helper()
	var v struct {
		P struct {
			Result         string
			Reason         string
			PreviousResult string
			IdentChanges   bool
			ReviewChanges  bool
		} `json:"identificationprocess"`
		U struct {
			Firstname struct{ Value, Status, ReviewStatus string }
		} `json:"userdata"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatal(err)
	}
	return outcome{
		v.P.Result, v.P.PreviousResult, v.P.Reason, v.P.IdentChanges, v.P.ReviewChanges,
		v.U.Firstname.Value, v.U.Firstname.Status, v.U.Firstname.ReviewStatus,
	}
}

func TestScenariosEndAsTheyAreDescribed(t *testing.T) {
	changed := person.ChangeAllCharacters()[0]
	const pending, suspected = "REVIEW_PENDING", "FRAUD_SUSPICION_PENDING"
	for _, c := range []struct {
		name     string
		review   time.Duration // how long it takes at most
		realtime outcome
		final    outcome
	}{
		{name: "HAPPYPATH", review: 2 * time.Minute,
			realtime: outcome{Result: pending, Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "SUCCESS", Previous: pending, Firstname: "LENA", Status: "MATCH", AfterReview: "MATCH"}},
		{name: "CHANGEALL", review: 2 * time.Minute,
			realtime: outcome{Result: pending, IdentChanges: true, Firstname: changed, Status: "CHANGE"},
			final:    outcome{Result: "SUCCESS_DATA_CHANGED", Previous: pending, IdentChanges: true, Firstname: changed, Status: "CHANGE", AfterReview: "MATCH"}},
		{name: "CHANGEALLREVIEW", review: 2 * time.Minute,
			realtime: outcome{Result: pending, Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "SUCCESS_DATA_CHANGED", Previous: pending, ReviewChanges: true, Firstname: changed, Status: "MATCH", AfterReview: "CHANGE"}},
		{name: "ABORTIDENT",
			realtime: outcome{Result: "ABORTED", Reason: "TECH_VIDEO", Status: "ORIGINAL"},
			final:    outcome{Result: "ABORTED", Reason: "TECH_VIDEO", Status: "ORIGINAL"}},
		{name: "FRAUDIDENT", review: 2 * time.Minute,
			realtime: outcome{Result: suspected, Reason: "WARNING_FAKE_ID", Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "FRAUD_SUSPICION_CONFIRMED", Previous: suspected, Reason: "WARNING_FAKE_ID", Firstname: "LENA", Status: "MATCH", AfterReview: "MATCH"}},
		{name: "FRAUDREVIEW", review: 2 * time.Minute,
			realtime: outcome{Result: pending, Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "FRAUD_SUSPICION_CONFIRMED", Previous: pending, Reason: "WARNING_PHOTO", Firstname: "LENA", Status: "MATCH", AfterReview: "MATCH"}},
		{name: "FRAUDOK", review: 2 * time.Minute,
			realtime: outcome{Result: suspected, Reason: "WARNING_INCONSISTENT_DATA", Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "SUCCESS", Previous: suspected, Firstname: "LENA", Status: "MATCH", AfterReview: "MATCH"}},
		{name: "CANCELED", review: 2 * time.Minute,
			realtime: outcome{Result: pending, Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "CANCELED", Reason: "TECH_PHOTO"}},
		{name: "LONGREVIEW", review: 24 * time.Hour,
			realtime: outcome{Result: pending, Firstname: "LENA", Status: "MATCH"},
			final:    outcome{Result: "SUCCESS", Previous: pending, Firstname: "LENA", Status: "MATCH", AfterReview: "MATCH"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlatform(t, settings{})
			p.run("1", c.name, 30*time.Second)
			mine := token(p.login("ihrebank"))
			if diff := cmp.Diff(c.realtime, outcomeOf(t, p.get(own+"/1", mine, http.StatusOK))); diff != "" {
				t.Errorf("after the conversation (-expected +got):\n%s", diff)
			}
			if c.name == "LONGREVIEW" {
				p.work(23 * time.Hour)
				mine = token(p.login("ihrebank"))
				if got := outcomeOf(t, p.get(own+"/1", mine, http.StatusOK)).Result; got != pending {
					t.Errorf("after 23 hours the result is %s", got)
				}
			}
			p.work(c.review)
			mine = token(p.login("ihrebank"))
			a := p.get(own+"/1", mine, http.StatusOK)
			if diff := cmp.Diff(c.final, outcomeOf(t, a)); diff != "" {
				t.Errorf("after the review (-expected +got):\n%s", diff)
			}
			if got := p.get(own+"/1/status", mine, http.StatusOK).decode(t)["state"]; got != c.final.Result {
				t.Errorf("the state is %v", got)
			}
			if c.name != "ABORTIDENT" && !strings.Contains(string(a.body), `"agentname":"TROBOT"`) {
				t.Errorf("the agent is not TROBOT: %s", a.body)
			}
			p.nothingDelivered()
		})
	}
	t.Run("HOLDCERTIFICATE", func(t *testing.T) {
		p := newPlatform(t, settings{})
		p.post(own+"/1/start", `{"firstname":"X-AUTOTEST-HOLDCERTIFICATE"}`, key("exampleApiKey"), http.StatusCreated)
		p.post(own+"/1/requestVideoChat", `{}`, nil, http.StatusPreconditionFailed)
	})
}

// nothingDelivered wants a company without webhooks to have none to deliver.
func (p *platform) nothingDelivered() {
	p.t.Helper()
	list, err := p.publish.Deliveries(p.t.Context(), "ihrebank", "", "", p.clock.Now().Add(time.Hour), "", 100)
	if err != nil || len(list) != 0 {
		p.t.Errorf("a company without webhooks has deliveries: %v %v", list, err)
	}
}

func TestConversationAndReviewTakeTheirTime(t *testing.T) {
	p := newPlatform(t, settings{})
	p.run("1", "HAPPYPATH", 0)
	mine := token(p.login("ihrebank"))
	for _, c := range []struct {
		after time.Duration
		state string
	}{{9 * time.Second, "IN_PROCESS"}, {time.Second, "REVIEW_PENDING"}, {59 * time.Second, "REVIEW_PENDING"}, {time.Second, "SUCCESS"}} {
		p.work(c.after)
		if got := p.get(own+"/1/status", mine, http.StatusOK).decode(t)["state"]; got != c.state {
			t.Errorf("after %s more the state is %v, not %s", c.after, got, c.state)
		}
	}
}

func TestAZIPHoldsTheResultAndItsSignatureIsRight(t *testing.T) {
	p := newPlatform(t, settings{})
	p.run("1", "HAPPYPATH", 3*time.Minute)
	mine := token(p.login("ihrebank"))
	a := p.get(own+"/1.zip", mine, http.StatusOK)
	again := p.get(own+"/1.zip", mine, http.StatusOK)
	if !bytes.Equal(a.body, again.body) {
		t.Error("two fetches give different bytes")
	}
	if got := a.Header.Get("Content-Length"); got != strconv.Itoa(len(a.body)) {
		t.Errorf("Content-Length is %s for %d bytes", got, len(a.body))
	}
	head := p.want(p.request(http.MethodHead, own+"/1.zip", "", mine), http.StatusOK)
	if len(head.body) != 0 || head.Header.Get("Content-Length") != a.Header.Get("Content-Length") {
		t.Errorf("HEAD answers %d bytes and says %s", len(head.body), head.Header.Get("Content-Length"))
	}
	files := unzip(t, a.body)
	single := p.get(own+"/1", mine, http.StatusOK)
	if diff := cmp.Diff(`{"identifications":[`+string(single.body)+`]}`, string(files["1.json"])); diff != "" {
		t.Errorf("the JSON inside is another one:\n%s", diff)
	}
	attachments := single.decode(t)["attachments"].(map[string]any)
	for kind, name := range attachments {
		if files[name.(string)] == nil {
			t.Errorf("%s is no file of the ZIP: %v", kind, name)
		}
	}
	if len(files) != len(attachments)+1 { // and the JSON
		t.Errorf("%d files for %d attachments", len(files), len(attachments))
	}
	for _, name := range []string{"results_signing.pem", "idnow_signing_test_20171004.pem", "idnow_signing_20171018.pem"} {
		checkSignature(t, p.get("/assets/certs/"+name, nil, http.StatusOK).body, files["1.xml"], files["1.sig"])
	}
}

func unzip(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if f.Method != zip.Store {
			t.Errorf("%s is compressed", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func checkSignature(t *testing.T, key, text, signature []byte) {
	t.Helper()
	block, _ := pem.Decode(key)
	if block == nil {
		t.Fatalf("no PEM: %s", key)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(text)
	if err := rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA512, sum[:], signature); err != nil {
		t.Error(err)
	}
}

func TestTheFileNameOfTheAccountsPatternLeadsToTheZIP(t *testing.T) {
	p := newPlatform(t, settings{})
	const muster = "/api/v1/musterbank/identifications"
	mine := token(p.login("musterbank"))
	var ids []string
	for n, custom := range []string{"Akte 7/ä", "Akte 7/ä", ""} {
		number := fmt.Sprintf("m-%d", n)
		body := fmt.Sprintf(`{"firstname":"X-AUTOTEST-HAPPYPATH","custom1":%q}`, custom)
		ids = append(ids, p.post(muster+"/"+number+"/start", body, mine, http.StatusCreated).decode(t)["id"].(string))
		p.post(muster+"/"+number+"/requestVideoChat", `{}`, nil, http.StatusOK)
		p.work(3 * time.Minute)
	}
	for n, name := range []string{"Akte_7__", "Akte_7___" + ids[1], "m-2"} {
		number := fmt.Sprintf("m-%d", n)
		process := p.get(muster+"/"+number, mine, http.StatusOK).decode(t)["identificationprocess"].(map[string]any)
		if process["filename"] != name+".zip" || process["href"] != muster+"/"+number+".zip" {
			t.Errorf("%s: filename %v, href %v, expected %s.zip", number, process["filename"], process["href"], name)
		}
		for _, path := range []string{number, ids[n], strings.ToLower(ids[n]), name} {
			a := p.get(muster+"/"+path+".zip", mine, http.StatusOK)
			if got := a.Header.Get("Content-Disposition"); got != `attachment; filename="`+name+`.zip"` {
				t.Errorf("%s.zip: %s", path, got)
			}
		}
	}
	p.get("/api/v1/ihrebank/identifications/Akte_7__.zip", token(p.login("ihrebank")), http.StatusNotFound)
}

func TestNoFileNameLeadsToTheZIPOfAnother(t *testing.T) {
	p := newPlatform(t, settings{})
	const muster = "/api/v1/musterbank/identifications"
	mine := token(p.login("musterbank"))
	create := func(number, custom string) string {
		body := fmt.Sprintf(`{"firstname":"X-AUTOTEST-HAPPYPATH","custom1":%q}`, custom)
		return p.post(muster+"/"+number+"/start", body, mine, http.StatusCreated).decode(t)["id"].(string)
	}
	first := create("first", "")
	names := map[string]string{"first": "first"}
	for number, custom := range map[string]string{"by-number": "FIRST", "by-id": strings.ToLower(first)} {
		names[number] = custom + "_" + create(number, custom)
	}
	create("own", "OWN")
	names["own"] = "OWN" // its own number, in other letters
	for number, name := range names {
		p.post(muster+"/"+number+"/requestVideoChat", `{}`, nil, http.StatusOK)
		p.work(3 * time.Minute)
		process := p.get(muster+"/"+number, mine, http.StatusOK).decode(t)["identificationprocess"].(map[string]any)
		if process["filename"] != name+".zip" {
			t.Errorf("%s: filename %v, expected %s.zip", number, process["filename"], name)
		}
		for _, path := range []string{process["href"].(string), muster + "/" + name + ".zip"} {
			if files := unzip(t, p.get(path, mine, http.StatusOK).body); files[number+".json"] == nil {
				t.Errorf("%s leads to another ZIP than that of %s", path, number)
			}
		}
	}
}

func TestALongNumberIsTheNameOfItsZIP(t *testing.T) {
	p := newPlatform(t, settings{})
	mine := token(p.login("ihrebank"))
	numbers := []string{strings.Repeat("n", 254) + "1", strings.Repeat("n", 254) + "2"}
	for _, number := range numbers {
		p.run(number, "HAPPYPATH", 3*time.Minute)
		process := p.get(own+"/"+number, mine, http.StatusOK).decode(t)["identificationprocess"].(map[string]any)
		if process["filename"] != number+".zip" || process["href"] != own+"/"+number+".zip" {
			t.Errorf("filename %v, href %v", process["filename"], process["href"])
		}
		p.get(own+"/"+number+".zip", mine, http.StatusOK)
	}
}

func TestRobotsAnswerWhatIsShownAndNothingElse(t *testing.T) {
	p := newPlatform(t, settings{})
	c := companies()[1]
	ask := func(key string, kind question.Type, showIf map[string][]string) question.Definition {
		d := question.Definition{Key: key, Type: kind, Label: "?", ShowIf: showIf}
		if kind.HasOptions() {
			d.Options = []string{"salary", "Salary"}
		}
		return d
	}
	c.Questions = []question.Definition{
		ask("third", question.Input, map[string][]string{"second": {"salary"}}),
		ask("second", question.Dropdown, map[string][]string{"first": {"1"}}),
		ask("first", question.RadioBoolean, nil),
		ask("hidden", question.Input, map[string][]string{"first": {"0"}}),
		ask("below_hidden", question.Input, map[string][]string{"hidden": {"Test"}}),
		ask("other_case", question.Input, map[string][]string{"second": {"Salary"}}),
		ask("of_city", question.Input, map[string][]string{"city": {"Bad  Tölz"}, "country": {"AT", "DE"}}),
		ask("of_street", question.Input, map[string][]string{"street": {"Heidestraße"}}),
		ask("of_custom", question.Input, map[string][]string{"custom2": {"Premium"}}),
		ask("of_image", question.Input, map[string][]string{"image": {"1"}}),
		ask("image", question.CustomImage, map[string][]string{"first": {"1"}}),
		ask("of_given", question.Input, map[string][]string{"given": {"0"}}),
		ask("given", question.Numeric, nil),
		{Key: "read_only", Type: question.Input, Label: "?", ReadOnly: true},
		ask("of_read_only", question.Input, map[string][]string{"read_only": {"Test"}}),
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if err := p.accounts.Apply(t.Context(), c, company.Secrets{APIKeys: []string{keysOf[c.ID]}}); err != nil {
		t.Fatal(err)
	}
	const theirs = "/api/v1/testbank/identifications/1"
	mine := token(p.login("testbank"))
	body := `{"firstname":"X-AUTOTEST-HAPPYPATH","city":"Bad Tölz","custom2":"premium","questions":{"given":{"value":0}}}`
	p.post(theirs+"/start", body, mine, http.StatusCreated)
	p.post(theirs+"/requestVideoChat", `{}`, nil, http.StatusOK)
	p.work(3 * time.Minute)
	got := map[string]any{}
	for key, v := range p.get(theirs, mine, http.StatusOK).decode(t)["questions"].(map[string]any) {
		got[key] = v.(map[string]any)["value"]
	}
	want := map[string]any{
		"first": 1.0, "second": "salary", "third": "Test", "of_city": "Test", "of_street": "Test", "of_custom": "Test", "of_image": "Test",
		"image": 1.0, "given": 0.0, "of_given": "Test",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRedactedFieldsHaveNoValue(t *testing.T) {
	p := newPlatform(t, settings{})
	const muster = "/api/v1/musterbank/identifications"
	mine := token(p.login("musterbank"))
	p.post(muster+"/1/start", `{"firstname":"X-AUTOTEST-HAPPYPATH"}`, mine, http.StatusCreated)
	p.post(muster+"/1/requestVideoChat", `{}`, nil, http.StatusOK)
	p.work(20 * time.Second)
	p.get(muster+"/1", mine, http.StatusNotFound) // no realtime results
	p.work(3 * time.Minute)
	a := p.get(muster+"/1", mine, http.StatusOK)
	for _, want := range []string{
		`"number":{"value":null,"status":"REDACTION"}`, `"validuntil":{"value":null,"status":"REDACTION"}`,
		`"audiolog":"1.wav"`, `"idfrontside":"1_idfrontside.png"`,
	} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%s is missing in %s", want, a.body)
		}
	}
}

func TestTheWaitingTimeIsARoundedOne(t *testing.T) {
	p := newPlatform(t, settings{})
	p.post(own+"/1/start", `{"firstname":"X-AUTOTEST-HAPPYPATH"}`, key("exampleApiKey"), http.StatusCreated)
	p.post(own+"/1/requestVideoChat", `{}`, nil, http.StatusOK)
	p.time.advance(20 * time.Second) // and no robot comes
	got := p.get("/api/v1/ihrebank", nil, http.StatusOK).decode(t)
	if got["estimatedWaitingTime"] != 30.0 || got["numberOfWaitingChatRequests"] != 1.0 {
		t.Errorf("%v", got)
	}
}

func TestTheCertificatesPageListsTheKeyWithItsSum(t *testing.T) {
	p := newPlatform(t, settings{})
	page := p.get("/assets/certs", nil, http.StatusOK)
	for _, name := range []string{"results_signing.pem", "audit_signing.pem"} {
		pem := p.get("/assets/certs/"+name, nil, http.StatusOK)
		if !strings.Contains(string(page.body), fmt.Sprintf("%x", sha256.Sum256(pem.body))) {
			t.Errorf("the page does not hold the SHA-256 of %s:\n%s", name, page.body)
		}
		if got := pem.Header.Get("Content-Type"); got != "application/x-pem-file" {
			t.Errorf("Content-Type of %s is %s", name, got)
		}
	}
}
