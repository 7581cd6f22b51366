# The actions of a running Footbridge from PowerShell 5 and later. Our tests parse it and do not run it: they have no PowerShell.
#   .\actions-proxy.ps1 list-projects -BaseUrl https://tools.example.org -ApiKey $key -Search garden
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0)]
    [ValidateSet('list-projects', 'list-epics', 'list-statuses', 'create-story', 'add-story-to-epic')]
    [string] $Command,
    [string] $BaseUrl = $env:TAIGA_PROXY_BASE_URL,
    [string] $ApiKey = $env:ACTION_PROXY_API_KEY,
    [string] $Search,
    [long[]] $ProjectId,
    [string] $Subject,
    [string] $Description,
    [string] $Status,
    [string[]] $Tag,
    [long] $EpicId,
    [long] $StoryId
)
$ErrorActionPreference = 'Stop'

if (-not $BaseUrl) { throw 'Give -BaseUrl, or set TAIGA_PROXY_BASE_URL.' }
if (-not $ApiKey) { throw 'Give -ApiKey, or set ACTION_PROXY_API_KEY.' }
$actions = $BaseUrl.TrimEnd('/') + '/actions/'
$headers = @{ 'X-Api-Key' = $ApiKey }

function Read-Action([string] $Action, [string[]] $Query) {
    $address = $actions + $Action
    if ($Query) { $address += '?' + ($Query -join '&') }
    Invoke-RestMethod -Uri $address -Headers $headers
}

function Write-Action([string] $Action, [hashtable] $Body) {
    $json = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $Body -Depth 5))
    Invoke-RestMethod -Uri ($actions + $Action) -Method Post -Headers $headers -ContentType 'application/json' -Body $json
}

function Need([string] $Name, $Value) { if (-not $Value) { throw "$Command needs -$Name." } }

$answer = switch ($Command) {
    'list-projects' {
        if ($Search) { Read-Action 'list_projects' @('search=' + [Uri]::EscapeDataString($Search)) } else { Read-Action 'list_projects' @() }
    }
    'list-epics' { Need 'ProjectId' $ProjectId; Read-Action 'list_epics' ($ProjectId | ForEach-Object { "project_id=$_" }) }
    'list-statuses' { Need 'ProjectId' $ProjectId; Read-Action 'statuses' @("project_id=$($ProjectId[0])") }
    'create-story' {
        Need 'ProjectId' $ProjectId; Need 'Subject' $Subject
        $body = @{ project_id = $ProjectId[0]; subject = $Subject }
        if ($Description) { $body.description = $Description }
        if ($Status) { $body.status = $Status }
        if ($Tag) { $body.tags = @($Tag) }
        Write-Action 'create_story' $body
    }
    'add-story-to-epic' {
        Need 'EpicId' $EpicId; Need 'StoryId' $StoryId
        Write-Action 'add_story_to_epic' @{ epic_id = $EpicId; user_story_id = $StoryId }
    }
}
ConvertTo-Json $answer -Depth 20
