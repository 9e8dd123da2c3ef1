"""The settings on one page of the admin: what they are, and what they could be."""

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from stashsense.preferences import services, values
from stashsense.preferences.definitions import (
    Definition,
    InvalidPreference,
    Kind,
    UnknownPreference,
)
from stashsense.preferences.models import Preference
from stashsense.preferences.values import Setting

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Preference]
else:
    _ModelAdmin = admin.ModelAdmin

PAGE = "admin:stashsense_preference_changelist"


class SettingField(forms.Field):
    """A field that takes what the setting does."""

    def __init__(self, definition: Definition) -> None:
        super().__init__(widget=_widget(definition), label=definition.label)
        self._definition = definition

    def clean(self, value: Any) -> Any:
        try:
            return self._definition.parse(value)
        except InvalidPreference as error:
            raise forms.ValidationError(str(error)) from None


def _widget(definition: Definition) -> forms.Widget:
    if definition.kind is Kind.BOOL:
        return forms.Select(choices=[("true", "on"), ("false", "off")])
    step: Any = "any" if definition.kind is Kind.FLOAT else definition.multiple_of or 1
    bounds = {"min": definition.minimum, "max": definition.maximum, "step": step}
    return forms.NumberInput(attrs=bounds)


class SettingsForm(forms.Form):
    """A field for each setting, filled with its value."""

    def __init__(self, settings: list[Setting], data: Any = None) -> None:
        super().__init__(data)
        for setting in settings:
            key = setting.definition.key
            self.fields[key] = SettingField(setting.definition)
            self.initial[key] = services.spell(setting.value)

    def chosen(self) -> dict[str, Any]:
        """Return what was changed on the page: nobody's other changes are undone."""
        return {key: self.cleaned_data[key] for key in self.changed_data}


@dataclass(frozen=True)
class Row:
    """A line of the page."""

    field: BoundField
    setting: Setting

    @property
    def default(self) -> str:
        """What it is unless somebody chooses."""
        return services.spell(self.setting.default)


@admin.register(Preference)
class PreferenceAdmin(_ModelAdmin):
    """The list is the page; single rows are not shown."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the settings, and store what a person changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        settings = values.all_settings()
        form = SettingsForm(settings)
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            assert isinstance(request.user, User)
            if key := request.POST.get("reset"):
                return self._reset(request, key, request.user)
            form = SettingsForm(settings, request.POST)
            if form.is_valid():
                return self._store(request, form, request.user)
        return TemplateResponse(
            request,
            "admin/stashsense/preference/change_list.html",
            {
                **self.admin_site.each_context(request),
                "title": "Settings",
                "opts": self.opts,
                "form": form,
                "tier": values.hardware_tier(),
                "categories": _categories(form, settings),
                "can_change": self.has_change_permission(request),
            },
        )

    def _store(
        self, request: HttpRequest, form: SettingsForm, user: User
    ) -> HttpResponse:
        stored = services.store_settings(form.chosen(), user=user)
        told = ", ".join(
            f"{key} = {services.spell(value)}" for key, value in stored.items()
        )
        messages.success(request, f"Stored: {told}." if told else "Nothing changed.")
        return redirect(PAGE)

    def _reset(self, request: HttpRequest, key: str, user: User) -> HttpResponse:
        try:
            setting = services.reset_setting(key, user=user)
        except UnknownPreference as error:
            messages.error(request, str(error))
        else:
            told = f"By default again: {key} = {services.spell(setting.value)}."
            messages.success(request, told)
        return redirect(PAGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Preference | None = None
    ) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the page, where the admin's log of changes links to a row."""
        return redirect(PAGE)


def _categories(
    form: SettingsForm, settings: list[Setting]
) -> list[tuple[str, list[Row]]]:
    """Return the lines of the page by the label of their category."""
    rows = [Row(form[setting.definition.key], setting) for setting in settings]
    grouped = groupby(rows, key=lambda row: row.setting.definition.category)
    return [(category.label, [*lines]) for category, lines in grouped]
