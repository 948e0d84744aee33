package result

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// printed is the identification that 13.3 and 13.4 print, before anybody changed it.
func printed() Input {
	sent := map[person.Field]string{
		person.Firstname: "Armin", person.Lastname: "Bauer", person.Birthday: "1983-05-22", person.Birthplace: "München",
		person.Nationality: "DE", person.Gender: "MALE", person.Street: "Unertlstr.", person.StreetNumber: "40",
		person.City: "München", person.Country: "DE", person.Zipcode: "80469",
	}
	identified := person.Data{Userdata: map[person.Field]string{}, Document: map[person.DocumentField]string{
		person.DocumentType: "IDCARD", person.DocumentCountry: "DE", person.ValidUntil: "2020-03-10", person.DocumentNumber: "402324847",
		person.IssuedBy: "Landeshauptstadt München, KVR", person.DateIssued: "2012-03-27",
	}}
	for f, v := range sent {
		identified.Userdata[f] = f.Show(v)
	}
	return Input{
		Result: ident.Success, AgentName: "HMUELLER", Type: ident.Web,
		IdentificationTime: time.Date(2014, 6, 2, 7, 3, 54, 987e6, time.FixedZone("CEST", 7200)),
		TransactionNumber:  "AH73JK3LM", CompanyID: "ihrebank", ID: "IBA-H7GB6",
		Application: person.Application{
			Userdata: sent, Email: "muster@example.com", MobilePhone: "0176 102030123",
			Custom: [5]string{"2740332", "ABCD"}, TrackingID: "<newsletter> & more",
		},
		Identified: identified,
		Attachments: []Attachment{
			{Key: "customimage"}, {Key: "livenessleft"}, {Key: KeyAudioLog}, {Key: "security_covered"}, {Key: "security2"}, {Key: "security1"},
			{Key: "userface"}, {Key: "idbackside"}, {Key: "idfrontside"}, {Key: KeyVideoLog}, {Key: "security10"}, {Key: "security3"},
		},
		Questions: []Answer{
			{"question_key1", question.Integer(1)}, {"question_key2", question.Text("value")}, {"question_key3", question.Text("1983-05-22")},
			{"unanswered", question.Value{}},
		},
	}
}

// stories are the results that companies meet.
func stories() map[string]Identification {
	build := func(change func(*Input)) Identification {
		in := printed()
		change(&in)
		return Build(in)
	}
	review := func(in *Input, f person.Field, v string) {
		r := in.Identified.Clone()
		r.Userdata[f] = v
		in.Reviewed = &r
	}
	failed := func(s ident.State, r ident.Reason) Identification {
		in := printed()
		in.Result, in.Reason = s, r
		return BuildFailed(in)
	}
	all := map[string]Identification{
		"final": build(func(in *Input) { in.PreviousResult = ident.ReviewPending }),
		"preliminary": build(func(in *Input) {
			in.Result, in.PreviousResult = ident.ReviewPending, ident.FraudPending
			review(in, person.Firstname, "NOT YET")
		}),
		"changed_twice": build(func(in *Input) {
			in.Application.Userdata[person.Birthday] = "1981-07-02"
			in.Identified.Userdata[person.Birthday] = "1983-05-21"
			in.Identified.Userdata[person.City] = "Gräfelfing"
			in.Application.Userdata[person.Nationality] = ""
			review(in, person.Birthday, "1983-05-22")
		}),
		"title_by_review": build(func(in *Input) { review(in, person.Title, "Dr.") }),
		"title_taken_out": build(func(in *Input) { in.Application.Userdata[person.Title] = "Dr." }),
		"redacted": build(func(in *Input) {
			in.Settings.Redact = []string{"number", "validuntil", "driversclasses"}
			in.Identified.DriversClasses = []string{"B"}
		}),
		"licence": build(func(in *Input) {
			in.Identified.Document[person.DocumentType] = "DRIVERS_LICENSE"
			in.Identified.DriversClasses = []string{"ML", "B"}
			r := in.Identified.Clone()
			r.DriversClasses = []string{"B", "C1E"}
			in.Reviewed = &r
		}),
		"settings": build(func(in *Input) {
			in.Type, in.FileName, in.Signed = ident.App, "IBA-H7GB6_2740332", true
			in.Settings = Settings{ImageFormat: "png", AudioFormat: "wav", XMLSignature: true, StreetNumberInStreet: true}
			in.Attachments[0].Extension = "jpg"
		}),
		"fraud_pending": build(func(in *Input) { in.Result, in.Reason = ident.FraudPending, "WARNING_FAKE_ID" }),
		"fraud_confirmed": build(func(in *Input) {
			in.Result, in.Reason, in.PreviousResult = ident.FraudConfirmed, "WARNING_FAKE_ID", ident.FraudPending
			in.Identified.Userdata[person.Firstname] = "OTTO"
		}),
		"fraud_cleared": build(func(in *Input) {
			in.Reason, in.PreviousResult = "WARNING_FAKE_ID", ident.FraudPending
		}),
		"aborted":  failed(ident.Aborted, "TECH_PHOTO"),
		"canceled": failed(ident.Canceled, "DATA_APPLICATION_DATA"),
		"emptied":  Emptied(failed(ident.Canceled, "DATA_APPLICATION_DATA")),
	}
	pending := printed()
	pending.Result, pending.AgentName, pending.IdentificationTime, pending.Questions = "", "", time.Time{}, nil
	all["pending"] = BuildPending(pending)
	all["nothing"] = BuildPending(Input{})
	return all
}

func TestResultsAsPrinted(t *testing.T) {
	for name, i := range stories() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := json.Indent(&b, i.JSON(), "", "  "); err != nil {
				t.Fatal(err)
			}
			b.WriteByte('\n')
			golden(t, name+".json", b.Bytes())
			golden(t, name+".xml", XML(i))
		})
	}
}

func TestJSONAndXMLAreWellFormed(t *testing.T) {
	for name, i := range stories() {
		wellFormed(t, name, i)
	}
}

func wellFormed(t *testing.T, name string, i Identification) {
	t.Helper()
	if b := i.JSON(); !json.Valid(b) || bytes.ContainsRune(b, '\n') {
		t.Errorf("%s: not JSON on one line: %s", name, b)
	}
	var document struct {
		Identifications []map[string]json.RawMessage `json:"identifications"`
	}
	if err := json.Unmarshal(WrappedJSON(i.JSON(), i.JSON()), &document); err != nil || len(document.Identifications) != 2 {
		t.Errorf("%s: wrapped: %v", name, err)
	}
	for _, section := range []string{"identificationprocess", "customdata", "contactdata", "userdata"} {
		if _, ok := document.Identifications[0][section]; !ok {
			t.Errorf("%s: %s is missing", name, section)
		}
	}
	d := xml.NewDecoder(bytes.NewReader(XML(i)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: not XML: %v", name, err)
			return
		}
	}
}

func TestAnEmptyListIsAList(t *testing.T) {
	if got := string(WrappedJSON()); got != `{"identifications":[]}` {
		t.Errorf("got %s", got)
	}
}

func TestOutcomeFollowsChanges(t *testing.T) {
	agent := func(in *Input) { in.Identified.Userdata[person.Firstname] = "OTTO" }
	reviewer := func(in *Input) {
		r := in.Identified.Clone()
		r.Userdata[person.Firstname] = "OTTO"
		in.Reviewed = &r
	}
	number := func(in *Input) {
		r := in.Identified.Clone()
		r.Document[person.DocumentNumber] = "1"
		in.Reviewed = &r
	}
	title := func(in *Input) {
		r := in.Identified.Clone()
		r.Userdata[person.Title] = "Dr."
		in.Reviewed = &r
	}
	tests := []struct {
		name   string
		state  ident.State
		change func(*Input)
		want   ident.State
	}{
		{"nothing changed", ident.Success, func(*Input) {}, ident.Success},
		{"said changed, is not", ident.SuccessChanged, func(*Input) {}, ident.Success},
		{"by the agent", ident.Success, agent, ident.SuccessChanged},
		{"by the reviewer", ident.Success, reviewer, ident.SuccessChanged},
		{"in the document", ident.Success, number, ident.SuccessChanged},
		{"in what is withheld", ident.Success, func(in *Input) { number(in); in.Settings.Redact = []string{"number"} }, ident.Success},
		{"new is no change", ident.Success, title, ident.Success},
		{"preliminary", ident.ReviewPending, agent, ident.ReviewPending},
		{"fraud", ident.FraudConfirmed, agent, ident.FraudConfirmed},
		{"canceled", ident.Canceled, agent, ident.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := printed()
			in.Result = tt.state
			tt.change(&in)
			if got := Outcome(in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestStreetAndNumberInOneFieldMatchHoweverTheyWereSent(t *testing.T) {
	in := printed()
	in.Settings.StreetNumberInStreet = true
	in.Application.Userdata[person.Street] = "Unertlstr. 40"
	delete(in.Application.Userdata, person.StreetNumber)
	a := Build(in).Userdata.Address
	want := Entry{Value: "UNERTLSTR. 40", Status: person.Match, ReviewStatus: person.Match}
	if a.StreetNumber != nil || *a.Street != want {
		t.Errorf("got %+v and %v", *a.Street, a.StreetNumber)
	}
}

func TestAttachmentNames(t *testing.T) {
	for key, want := range map[string]string{
		"pdf": "T.pdf", "xml": "T.xml", "sig": "T.sig", "json": "T.json", "audiolog": "T.wav", "videolog": "T.mp4",
		"idfrontside": "T_idfrontside.png", "security_covered": "T_security_covered.png", "security3": "T_security3.png",
		"livenessleft": "T_liveness_left.png", "livenessright": "T_liveness_right.png", "question_key9": "T_question_key9.png",
		"../../x": "T_.._.._x.png",
	} {
		if got := AttachmentName("T", key, "png", "wav"); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestFailedOnesShowNothingThatWasIdentified(t *testing.T) {
	in := printed()
	in.Result = ident.Canceled
	in.Identified.Userdata[person.Firstname] = "IDENTIFIED"
	in.Settings.Redact = []string{"number"}
	got := string(BuildFailed(in).JSON())
	for _, secret := range []string{"IDENTIFIED", "402324847", `"value":"A`, "attachments", "identificationdocument", "filename", "identchanges"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s stands in %s", secret, got)
		}
	}
}

func TestAKeyStandsOnceInAnObject(t *testing.T) {
	in := printed()
	in.Attachments = append(in.Attachments, Attachment{Key: "pdf"}, Attachment{Key: "userface"}, Attachment{})
	in.Questions = append(in.Questions, Answer{"question_key1", question.Text("again")})
	i := Build(in)
	var keys []string
	for _, f := range i.Attachments {
		keys = append(keys, f.Key)
	}
	want := []string{
		"pdf", "xml", "videolog", "idfrontside", "idbackside", "userface", "security1", "security2", "security3", "security10",
		"security_covered", "audiolog", "livenessleft", "customimage",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	if len(i.Questions) != 3 {
		t.Errorf("questions: %v", i.Questions)
	}
}

func FuzzResultsAreAlwaysWellFormed(f *testing.F) {
	f.Add("Anna", "ANNA", "BEA", "key", uint8(0))
	f.Add("<&>\"'\x00\xff\uFFFE", "]]>\r\n\t", "\u2028", "1 <x>", uint8(255))
	f.Fuzz(func(t *testing.T, sent, identified, reviewed, key string, mode uint8) {
		in := printed()
		states := []ident.State{ident.Success, ident.ReviewPending, ident.FraudConfirmed, ident.Canceled, ""}
		in.Result = states[int(mode)%len(states)]
		in.Reviewed = &person.Data{Userdata: map[person.Field]string{}, Document: map[person.DocumentField]string{}, DriversClasses: []string{reviewed}}
		in.Identified.DriversClasses = []string{identified, key}
		for _, field := range person.Fields {
			in.Application.Userdata[field], in.Identified.Userdata[field], in.Reviewed.Userdata[field] = sent, identified, reviewed
		}
		for _, field := range person.DocumentFields {
			in.Identified.Document[field], in.Reviewed.Document[field] = identified, reviewed
		}
		in.Application.Email, in.Application.MobilePhone, in.Application.TrackingID, in.Application.Custom[2] = sent, identified, reviewed, key
		in.AgentName, in.TransactionNumber, in.Reason = sent, ident.TransactionNumber(key), ident.Reason(reviewed)
		in.Attachments = append(in.Attachments, Attachment{Key: key}, Attachment{Key: sent})
		in.Questions = append(in.Questions, Answer{key, question.Text(sent)}, Answer{identified, question.Integer(1)})
		in.Settings.StreetNumberInStreet = mode&1 != 0
		for _, i := range []Identification{Build(in), BuildFailed(in), BuildPending(in), Emptied(Build(in))} {
			wellFormed(t, "fuzz", i)
		}
		for _, a := range Build(in).Attachments {
			if strings.ContainsAny(a.Name, "/\\\x00") {
				t.Errorf("file name %q", a.Name)
			}
		}
	})
}

func TestTheXMLHoldsTheSameAsTheJSON(t *testing.T) {
	i := stories()["changed_twice"]
	out := string(XML(i))
	for _, want := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n<identifications>\n",
		`<birthday status="CHANGE" original="1981-07-02" identification="1983-05-21" reviewstatus="CHANGE">1983-05-22</birthday>`,
		`<trackingid>&lt;newsletter&gt; &amp; more</trackingid>`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
	if !strings.Contains(string(XML(stories()["redacted"])), `<number status="REDACTION"/>`) {
		t.Error("the redacted number is not as printed")
	}
	if lines := slices.Collect(strings.Lines(string(XML()))); len(lines) != 2 || lines[1] != "<identifications/>\n" {
		t.Errorf("no results: %q", lines)
	}
}
