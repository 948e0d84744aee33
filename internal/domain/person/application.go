package person

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/iso"
	"vidimus/internal/domain/question"
)

// homeCountry is the country code of a telephone number that names none (3.2.8).
const homeCountry = "49"

// Application is what the company, its form or its link sent about one identification
// (3.2.8). Evidence never alters it. An empty field was not sent. It keeps its content
// through encoding/json.
type Application struct {
	Userdata      map[Field]string
	Email         string
	MobilePhone   string // as it was sent; E164 normalises it
	Custom        [5]string
	TrackingID    string
	PreferredLang string
	Questions     map[string]question.Value
}

// Names lists the fields that Set takes, spelled as requests spell them, in the order of
// the specification's table.
var Names = []string{
	"birthday", "birthplace", "birthname", "city", "country", "custom1", "custom2", "custom3", "custom4", "custom5",
	"trackingid", "email", "firstname", "gender", "lastname", "mobilephone", "nationality", "preferredLang",
	"street", "streetnumber", "title", "zipcode",
}

// Set takes one field of a request, questions apart. An empty value is none: it changes
// nothing. A name that is no field is fault.UnknownField, a value that the field cannot
// hold fault.Invalid; both carry the name as key. Birthdays after today are refused.
func (a *Application) Set(name, value string, today time.Time) error {
	if !slices.Contains(Names, name) {
		return fault.Of(fault.UnknownField).In(name)
	}
	if value == "" {
		return nil
	}
	if !plainText(value) || !acceptable(name, value, today) {
		return fault.Value(name)
	}
	if place := a.place(name); place != nil {
		*place = value
		return nil
	}
	if a.Userdata == nil {
		a.Userdata = make(map[Field]string)
	}
	a.Userdata[Field(name)] = value
	return nil
}

// Get returns the value of a field by the name that Set takes; empty when it was not sent
// or is no field.
func (a Application) Get(name string) string {
	if place := a.place(name); place != nil {
		return *place
	}
	return a.Userdata[Field(name)]
}

// place returns where a field is kept that is not in Userdata; nil for all others.
func (a *Application) place(name string) *string {
	switch name {
	case "email":
		return &a.Email
	case "mobilephone":
		return &a.MobilePhone
	case "trackingid":
		return &a.TrackingID
	case "preferredLang":
		return &a.PreferredLang
	case "custom1", "custom2", "custom3", "custom4", "custom5":
		return &a.Custom[name[len(name)-1]-'1']
	}
	return nil
}

func acceptable(name, value string, today time.Time) bool {
	switch name {
	case "birthday":
		return birthday(value, today)
	case "email":
		return email(value)
	case "mobilephone":
		_, ok := E164(value, homeCountry)
		return ok
	case "preferredLang":
		return iso.Language(value)
	case "country", "nationality", "gender":
		return Field(name).code(value)
	}
	return true
}

// Merge returns a with the fields that update sends in place of its own; each question
// counts as a field. Neither of the two is changed (3.2.10).
func (a Application) Merge(update Application) Application {
	merged := a
	merged.Userdata = union(a.Userdata, update.Userdata)
	merged.Questions = union(a.Questions, update.Questions)
	for _, name := range Names {
		if from := update.place(name); from != nil && *from != "" {
			*merged.place(name) = *from
		}
	}
	return merged
}

// union returns a new map of both; nil when both are empty.
func union[K comparable, V any](a, b map[K]V) map[K]V {
	if len(a)+len(b) == 0 {
		return nil
	}
	u := make(map[K]V, len(a)+len(b))
	maps.Copy(u, a)
	maps.Copy(u, b)
	return u
}

// LogValue keeps an application out of logs.
func (Application) LogValue() slog.Value { return slog.StringValue("application (withheld)") }
